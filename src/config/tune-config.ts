import type { OptionValues } from '../options/table.js';
import type { Behind } from './front.js';

/** `floor`: buffer sizes are set only where the kernel's own ceiling is lower. `exact`: they are set always. */
export type BufferMode = 'floor' | 'exact';

/** `auto`: headers leave in one segment with the first bytes of the file, as with TCP_CORK. `off`: they leave before it. */
export type CorkMode = 'auto' | 'off';

/** `auto`: calls of `fs` that the kernel can answer from memory do without the thread pool. `off`: Node's own way. */
export type FsMode = 'auto' | 'off';

/** `auto`: bulk data of a socket that is piped to another goes by splice(2). `off`: Node's own way. */
export type SpliceMode = 'auto' | 'off';

/** `auto`: an app that has a meter provider of OpenTelemetry gets our figures there. `off`: it does not. */
export type OtelMode = 'auto' | 'off';
/** Milliseconds, or not at all. */
export type OptionalTime = number | 'off';

/** What a config has besides socket options. The rows of settings.ts have the variables, the defaults and the checks. */
export interface Settings {
  /** Default: `floor`. */
  readonly bufferMode?: BufferMode;
  /** Send files by sendfile(2) where only the speed differs. Default: on. */
  readonly sendfile?: boolean;
  /** Bytes. A shorter file is read and written as Node does it. Default: 65536. */
  readonly sendfileMin?: number;
  /** Bytes that the socket gets before Node's streams have their turn again. Default: 524288. */
  readonly sendfileWindow?: number;
  /** Default: `auto`. */
  readonly cork?: CorkMode;
  /** Default: `auto`. */
  readonly fs?: FsMode;
  /** Default: `auto`. */
  readonly splice?: SpliceMode;
  /**
   * What stands in front of the servers, or the milliseconds after which it closes idle connections: a server whose app has left Node's
   * idle times waits longer than that. Default: `off`.
   */
  readonly behind?: Behind;
  /**
   * Milliseconds that a server has to finish its connections once it is closed, or the process is told to end. Default: `off`, which
   * leaves both as they are in Node.
   */
  readonly drain?: OptionalTime;
  /** Milliseconds for which a process that was told to end goes on accepting, before its servers are closed. Default: 0. */
  readonly drainDelay?: number;
  /** Address of a page, metrics and a snapshot: `127.0.0.1:9465`. Of a range of ports, the first free one is taken. Default: `off`. */
  readonly inspect?: string;
  /** Default: `auto`. */
  readonly otel?: OtelMode;
  /** Where the report goes when the process ends: `off`, `exit` (standard error), or the path of a file. Default: `off`. */
  readonly report?: string;
}

/** What is done to sockets and files. The kernel and Node decide about an option that is absent. */
export interface TuneConfig extends OptionValues, Settings {
  /**
   * Options of the listeners on some ports, in place of those of the config. Spread the config to build upon it:
   * `{ ...defaultConfig(), ports: { 8080: { ...defaultConfig(), userTimeout: 5000 } } }`.
   */
  readonly ports?: Readonly<Record<number, OptionValues>>;
  /** Options of the sockets that the process opens itself. Default: these sockets are guarded, see `guard`. */
  readonly connect?: OptionValues;
  /**
   * The guard of the sockets that the process opens itself, where `connect` is absent: their keepalive, `deadPeer` and `answer`. Default:
   * those of the config. `off`: these sockets are left alone.
   */
  readonly guard?: OptionValues | 'off';
  /** Options of the sockets that are opened to some ports, in place of those of `connect`, or of the guard. */
  readonly connectPorts?: Readonly<Record<number, OptionValues>>;
}
