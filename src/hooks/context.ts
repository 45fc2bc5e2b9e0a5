import type { Platform } from '../native/platform.js';
import type { Undo } from '../node/patch/replace.js';
import type { OptionKey, OptionValues } from '../options/table.js';

/** What the hooks go by. */
export interface HookContext {
  readonly values: OptionValues;
  /** What listeners on these ports have in place of `values`. */
  readonly ports: Readonly<Record<number, OptionValues>>;
  /** What outgoing sockets have; undefined leaves them alone. */
  readonly outgoing: OptionValues | undefined;
  /** Options that the user set by name: only these are worth a warning where they are not to be had. */
  readonly asked: ReadonlySet<OptionKey>;
  readonly exactBuffers: boolean;
  /** Undefined switches the file path off. */
  readonly sendfile: { readonly min: number; readonly window: number; readonly joins?: boolean } | undefined;
  /** Calls of `fs` that the kernel can answer from memory do without the thread pool. */
  readonly answersFs: boolean;
  /** This is a worker of a cluster whose primary has socket-tune too, and makes the listeners of all its workers. */
  readonly isListenedFor: boolean;
  /** What a primary that makes its workers' listeners says so by, in their environment. */
  readonly primaryMark: Readonly<Record<string, string>>;
  /** The system; asking for it loads koffi, so no hook asks before there is a socket or a region. */
  platform(): Platform;
}

/**
 * What listeners on a port have, and what they accept.
 *
 * @param port undefined of a path
 */
export function valuesAt({ values, ports }: HookContext, port: number | undefined): OptionValues {
  return (port === undefined ? undefined : ports[port]) ?? values;
}

/** The values of every kind of TCP socket that there is in a context. */
export function allValues({ values, ports, outgoing }: HookContext): readonly OptionValues[] {
  return [values, ...Object.values(ports), ...(outgoing === undefined ? [] : [outgoing])];
}

/** A part of the preload that changes Node's behaviour. */
export interface Hook {
  readonly name: string;
  /** Put the hook in place. Undefined if there is nothing to do with this config, or Node's own code is not what we know. */
  install(context: HookContext): Undo | undefined;
}
