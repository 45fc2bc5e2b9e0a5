/** One module with all but the preload, which loads it on first use. Contains the programmatic API. */
export { apply, applyListener } from './api/apply.js';
export { sendFileAll, sendFileRange } from './api/send-file.js';
export { tcpInfo } from './api/tcp-info.js';
export { defaultConfig, highThroughputConfig, lowLatencyConfig } from './config/config.js';
export { SocketTuneError } from './errors.js';
export { watchFactory } from './hooks/files/compression.js';
export { hooksFor, install, loadNativeCalls, startEnding, startInspect } from './install.js';
export { stats } from './report/report.js';
