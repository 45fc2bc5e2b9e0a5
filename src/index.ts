export { apply, applyListener } from './api/apply.js';
export { sendFileAll, sendFileRange } from './api/send-file.js';
export {
  type BufferMode,
  defaultConfig,
  highThroughputConfig,
  lowLatencyConfig,
  type TuneConfig,
} from './config/config.js';
export { SocketTuneError, type SocketTuneErrorCode } from './errors.js';
export { install, installFromEnvironment, type Uninstall } from './install.js';
export type { OptionOutcome, Verdict } from './options/apply.js';
export type { OptionKey, OptionValues } from './options/table.js';
