export type { FileToSend } from './api/send-file.js';
export type { BufferMode, TuneConfig } from './config/config.js';
export type { SocketTuneErrorCode } from './errors.js';
export type { Uninstall } from './install.js';
export type { OptionOutcome, Verdict } from './options/outcome.js';
export type { OptionKey, OptionValues } from './options/table.js';
export {
  apply,
  applyListener,
  defaultConfig,
  highThroughputConfig,
  install,
  lowLatencyConfig,
  SocketTuneError,
  sendFileAll,
  sendFileRange,
} from './runtime.js';
