import type { Undo } from '../../node/patch/replace.js';
import { afterLastRegion } from './region.js';

/**
 * A patch that regions on their way still need. Its undo waits until the last of them has ended, and does nothing if the patch is
 * wanted again by then.
 *
 * @returns what puts the patch in place; its result is the undo, or undefined where the patch has none
 */
export function undoneAfterRegions(patch: () => Undo | undefined): () => Undo | undefined {
  let unpatch: Undo | undefined;
  let isWanted = false;
  return () => {
    unpatch ??= patch();
    if (unpatch === undefined) return undefined;
    isWanted = true;
    return () => {
      isWanted = false;
      afterLastRegion(() => {
        if (isWanted) return;
        unpatch?.();
        unpatch = undefined;
      });
    };
  };
}
