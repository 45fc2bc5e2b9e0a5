import type { Delay } from '../session/program.js';

export type Kind = 'tcp' | 'tcp6' | 'unix';

/** A stream of bytes, and how it is sent and received. */
export interface Traffic {
  readonly seed: number;
  readonly size: number;
  /** The least and the most bytes of a write. */
  readonly piece: readonly [least: number, most: number];
  /** Every so many writes, and every so many reads, there is a pause of so many milliseconds. */
  readonly sendPause: readonly [every: number, milliseconds: number];
  readonly readPause: readonly [every: number, milliseconds: number];
}

/** What the proxy does with a pipe in its middle. */
export type Act =
  | { readonly what: 'pause' | 'unpipe' | 'cork' | 'listen' | 'wrap' | 'move'; readonly for: Delay }
  | { readonly what: 'mark' }
  | { readonly what: 'options' }
  | { readonly what: 'end' }
  | { readonly what: 'destroy'; readonly who: 'source' | 'sink'; readonly how: 'destroy' | 'error' | 'reset' };

/** An act, when the source has read so many bytes. */
export interface Operation {
  readonly at: number;
  readonly act: Act;
}

/** A peer that leaves when it has had so many bytes. */
export interface Leave {
  readonly who: 'sender' | 'receiver';
  readonly at: number;
  readonly how: 'destroy' | 'reset';
}

/** A connection through the proxy: sender → source | sink → receiver. */
export interface LinePlan {
  readonly from: Kind;
  readonly to: Kind;
  readonly via: 'pipe' | 'pipeline';
  readonly sourceHighWaterMark: number | undefined;
  readonly sinkHighWaterMark: number | undefined;
  readonly there: Traffic;
  /** From the receiver to the sender, at the same time. */
  readonly back: Traffic | undefined;
  readonly operations: readonly Operation[];
  readonly leave: Leave | undefined;
}

export interface SessionPlan {
  readonly lines: readonly LinePlan[];
}

/** Whether every byte must come through. */
export function isUnbroken({ operations, leave }: LinePlan): boolean {
  return leave === undefined && operations.every(({ act }) => act.what !== 'destroy' && act.what !== 'end');
}

/** What the app writes between the bytes of a pipe. */
export function markOf(index: number): Buffer {
  return Buffer.from(`<mark ${index}>`);
}
