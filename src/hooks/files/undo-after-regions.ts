import type { Undo } from '../../node/patch/replace.js';
import { afterLastRegion } from './region.js';

/**
 * A patch without which regions that are on their way would go wrong. When it is undone it stays until the last of them has
 * ended, and for good if it is wanted again by then.
 *
 * @returns what puts it in place; its result is the undo
 */
export function lingering(patch: () => Undo): () => Undo {
  let unpatch: Undo | undefined;
  let isWanted = false;
  return () => {
    unpatch ??= patch();
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
