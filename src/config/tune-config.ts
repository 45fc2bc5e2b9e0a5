import type { OptionValues } from '../options/option-values.js';
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
  /**
   * `floor`: a buffer size is set only if the kernel’s own limit is lower, because a fixed size ends autotuning; `exact`: always.
   *
   * Values: `'floor'`, `'exact'`. Default: `'floor'`.
   *
   * Variable: `SOCKET_TUNE_BUFFER_MODE`.
   */
  readonly bufferMode?: BufferMode;
  /**
   * Files by sendfile(2).
   *
   * Values: `true` or `false`. Default: `true`.
   *
   * Variable: `SOCKET_TUNE_SENDFILE`.
   */
  readonly sendfile?: boolean;
  /**
   * A shorter file is copied, and leaves with its headers by one send(2).
   *
   * Values: from 0 bytes. Default: `65536`.
   *
   * Variable: `SOCKET_TUNE_SENDFILE_MIN`.
   */
  readonly sendfileMin?: number;
  /**
   * Bytes of a file that a socket gets in one step, before Node's streams run again.
   *
   * Values: 65536 to 67108864 bytes. Default: `524288`.
   *
   * Variable: `SOCKET_TUNE_SENDFILE_WINDOW`.
   */
  readonly sendfileWindow?: number;
  /**
   * `auto`: headers leave in one segment with the first bytes of the file; `off`: headers leave first.
   *
   * Values: `'auto'`, `'off'`. Default: `'auto'`.
   *
   * Variable: `SOCKET_TUNE_CORK`.
   */
  readonly cork?: CorkMode;
  /**
   * Datagrams of one size that one tick sends to one destination leave by one system call (UDP_SEGMENT), at the end of the tick at the
   * latest.
   *
   * Values: `true` or `false`. Default: `false`.
   *
   * Variable: `SOCKET_TUNE_UDP_GSO`.
   */
  readonly udpGso?: boolean;
  /**
   * `auto`: calls of `fs` that the kernel can answer from memory skip the thread pool.
   *
   * Values: `'auto'`, `'off'`. Default: `'auto'`.
   *
   * Variable: `SOCKET_TUNE_FS`.
   */
  readonly fs?: FsMode;
  /**
   * `auto`: bulk data from a plain socket that is piped to another goes by splice(2), see docs/proxies.md.
   *
   * Values: `'auto'`, `'off'`. Default: `'off'`.
   *
   * Variable: `SOCKET_TUNE_SPLICE`.
   */
  readonly splice?: SpliceMode;
  /**
   * The proxy in front of the servers, or its idle time: servers close idle connections later than the proxy, see docs/requests.md.
   *
   * Values: alb, nlb, gcp, azure, cloudflare, nginx, haproxy, off, or milliseconds from 1 to 86400000. Default: `'off'`.
   *
   * Variable: `SOCKET_TUNE_BEHIND`.
   */
  readonly behind?: Behind;
  /**
   * How long a server may take to finish its connections, after it is closed or SIGTERM or SIGINT arrives.
   *
   * Values: 1 to 3600000 milliseconds, or off. Default: `'off'`.
   *
   * Variable: `SOCKET_TUNE_DRAIN`.
   */
  readonly drain?: OptionalTime;
  /**
   * How long a process goes on accepting connections after such a signal, before the drain begins.
   *
   * Values: 0 to 3600000 milliseconds. Default: `0`.
   *
   * Variable: `SOCKET_TUNE_DRAIN_DELAY`.
   */
  readonly drainDelay?: number;
  /**
   * Where the page and the metrics are served.
   *
   * Values: off, or an address and a port, or a range of ports, such as 127.0.0.1:9465, [::1]:9465, 9465 or 127.0.0.1:9465-9472.
   * Default: `'off'`.
   *
   * Variable: `SOCKET_TUNE_INSPECT`.
   */
  readonly inspect?: string;
  /**
   * `auto`: the app’s OpenTelemetry meter provider, if it has one, gets our metrics.
   *
   * Values: `'auto'`, `'off'`. Default: `'auto'`.
   *
   * Variable: `SOCKET_TUNE_OTEL`.
   */
  readonly otel?: OtelMode;
  /**
   * Where the report goes; a file gets JSON, `%p` in its name is the process id, `%t` the thread.
   *
   * Values: off, exit (standard error), or the path of a file. Default: `'off'`.
   *
   * Variable: `SOCKET_TUNE_REPORT`.
   */
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
