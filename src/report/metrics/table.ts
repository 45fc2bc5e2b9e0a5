import { DESTINATION_METRICS } from './destinations.js';
import { FILE_METRICS } from './files.js';
import { LISTENER_METRICS } from './listeners.js';
import { REQUEST_METRICS } from './requests.js';
import type { MetricRow } from './row.js';
import { SOCKET_METRICS } from './sockets.js';
import { SPLICE_METRICS } from './splices.js';

/** The metrics that come from a report. */
export const METRICS: readonly MetricRow[] = [
  ...SOCKET_METRICS,
  ...REQUEST_METRICS,
  ...FILE_METRICS,
  ...SPLICE_METRICS,
  ...LISTENER_METRICS,
  ...DESTINATION_METRICS,
];
