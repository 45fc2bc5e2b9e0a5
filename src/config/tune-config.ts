import type { OptionValues } from '../options/table.js';

/** `floor`: buffer sizes are set only where the kernel's own ceiling is lower. `exact`: they are set always. */
export type BufferMode = 'floor' | 'exact';

/** `auto`: headers leave in one segment with the first bytes of the file behind them, as TCP_CORK would have it. `off`: ahead of it. */
export type CorkMode = 'auto' | 'off';

/** What is to be done to sockets and files. An absent option is left as the kernel and Node have it. */
export interface TuneConfig extends OptionValues {
  /**
   * Options of the listeners on some ports, in place of those beside this: spread them to build upon them, as in
   * `{ ...defaultConfig(), ports: { 8080: { ...defaultConfig(), userTimeout: 5000 } } }`.
   */
  readonly ports?: Readonly<Record<number, OptionValues>>;
  /** Options of the sockets that the process opens itself. Default: they are left alone. */
  readonly connect?: OptionValues;
  /** Default: `floor`. */
  readonly bufferMode?: BufferMode;
  /** Send files by sendfile(2) where that makes no difference but speed. Default: on. */
  readonly sendfile?: boolean;
  /** Bytes; what is shorter is read and written as ever. Default: {@link SENDFILE_DEFAULTS}. */
  readonly sendfileMin?: number;
  /** Bytes that are given to the socket before Node's streams have their say again. Default: {@link SENDFILE_DEFAULTS}. */
  readonly sendfileWindow?: number;
  /** Default: `auto`. */
  readonly cork?: CorkMode;
  /** Where the report goes when the process ends: `off`, `exit` (standard error), or a file's path. Default: `off`. */
  readonly report?: string;
  /** Where a page, metrics and a snapshot are served: `127.0.0.1:9465`, or a range of ports of which the first free one is taken. Default: `off`. */
  readonly inspect?: string;
}

/** Measured by bench/file.ts: below the least size read+write is as cheap and takes no part in later changes of the file. */
export const SENDFILE_DEFAULTS = { min: 64 << 10, window: 512 << 10 } as const;
