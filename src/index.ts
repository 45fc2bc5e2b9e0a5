export type { FileToSend } from './api/send-file.js';
export type { BufferMode, CorkMode, TuneConfig } from './config/tune-config.js';
export type { SocketTuneErrorCode } from './errors.js';
export type { Uninstall } from './install.js';
export type { TcpInfo } from './native/sockets/tcp-info.js';
export type { OptionKey, OptionValues } from './options/option-values.js';
export type { OptionOutcome, Verdict } from './options/outcome.js';
export type { RawOption } from './options/raw-option.js';
export type { ConnectionMessage, FileMessage } from './report/channels.js';
export type { DestinationRecord } from './report/destination-record.js';
export type { ListenerRecord, QueueRecord } from './report/listener-record.js';
export type { CounterRecord, DropRecord } from './report/live/accept-queues.js';
export type { DestinationReport, PathRecord } from './report/live/outgoing.js';
export type { Report } from './report/report.js';
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
  stats,
  tcpInfo,
} from './runtime.js';
