import type { Platform } from '../native/platform.js';
import type { Undo } from '../node/patch/replace.js';
import { type Plan, planOptions, type SocketKind } from '../options/plan.js';
import { OPTION_ROWS, type OptionKey, type OptionValues } from '../options/table.js';

/** The config as hooks need it, and the system. */
export interface HookContext {
  readonly values: OptionValues;
  /** Values in place of `values`, by the port of a listener. */
  readonly ports: Readonly<Record<number, OptionValues>>;
  /** Values of outgoing sockets; undefined leaves these alone. */
  readonly outgoing: OptionValues | undefined;
  /** Values in place of `outgoing`, by the port that a socket connects to. */
  readonly outgoingPorts: Readonly<Record<number, OptionValues>>;
  /** Outgoing sockets are guarded: `SOCKET_TUNE_CONNECT` is not off. */
  readonly guards: boolean;
  /** Nothing but the guard is set on outgoing sockets, and not before it is needed. */
  readonly guardsOnly: boolean;
  /** Options that the user has named. Only these are worth a warning where they are unsupported. */
  readonly asked: ReadonlySet<OptionKey>;
  readonly exactBuffers: boolean;
  /** Undefined switches the file path off. */
  readonly sendfile: { readonly min: number; readonly window: number; readonly joins?: boolean } | undefined;
  /** Calls of `fs` that the kernel can answer from memory do without the thread pool. */
  readonly answersFs: boolean;
  /** Datagrams of one tick, one destination and one size leave by one system call. */
  readonly batchesDatagrams: boolean;
  /** Bulk data of a socket that is piped to another goes by splice(2). */
  readonly splices: boolean;
  /** The least `keepAliveTimeout` of servers, in milliseconds; undefined leaves it to Node and the app. */
  readonly keepAliveTime: number | undefined;
  /** Milliseconds that a closed server has to finish its connections; undefined leaves that to Node. */
  readonly drain: number | undefined;
  /** This process is a worker of a cluster whose primary has socket-tune and makes the workers' listeners. */
  readonly isListenedFor: boolean;
  /** Variables by which such a primary tells its workers, in their environment. */
  readonly primaryMark: Readonly<Record<string, string>>;
  /** The system. The first call loads koffi, so hooks wait for a socket or a region. */
  platform(): Platform;
}

/**
 * The values of listeners on a port, and of the sockets that they accept.
 *
 * @param port undefined for a path
 */
export function valuesAt({ values, ports }: HookContext, port: number | undefined): OptionValues {
  return (port === undefined ? undefined : ports[port]) ?? values;
}

/** The values of every kind of TCP socket. */
export function allValues({ values, ports, outgoing, outgoingPorts }: HookContext): readonly OptionValues[] {
  const connects = outgoing === undefined ? [] : [outgoing, ...Object.values(outgoingPorts)];
  return [values, ...Object.values(ports), ...connects];
}

/** Options that one system alone has. */
const OF_ONE_SYSTEM = OPTION_ROWS.filter((row) => 'system' in row);

/** A plan whose outcomes are for a report: without what a preset has for another system. */
export function planToReport(context: HookContext, values: OptionValues, kind: SocketKind): Plan {
  const platform = context.platform();
  const plan = planOptions(platform, values, kind);
  const isElsewhere = (key: string): boolean =>
    OF_ONE_SYSTEM.some((row) => row.key === key && row.system !== platform.name && !context.asked.has(row.key));
  return { ...plan, skipped: plan.skipped.filter(({ option }) => !isElsewhere(option)) };
}

/** A part of the preload that changes Node's behaviour. */
export interface Hook {
  readonly name: string;
  /** Put the hook in place. Undefined if there is nothing to do with this config, or Node's own code is not what we know. */
  install(context: HookContext): Undo | undefined;
}
