/** Everything but the preload, as one module: the preload loads it on first use, and the programmatic API is a part of it. */
export { apply, applyListener } from './api/apply.js';
export { sendFileAll, sendFileRange } from './api/send-file.js';
export { tcpInfo } from './api/tcp-info.js';
export { defaultConfig, highThroughputConfig, lowLatencyConfig } from './config/config.js';
export { SocketTuneError } from './errors.js';
export { watchFactory } from './hooks/files/compression.js';
export { hooksFor, install, startInspect, startReport } from './install.js';
export { stats } from './report/report.js';
