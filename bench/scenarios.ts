import { accept } from './accept.js';
import { apply } from './apply.js';
import { clusterScenario } from './cluster.js';
import { cold } from './cold.js';
import { connectionCounts } from './connections.js';
import { files } from './files.js';
import { limits } from './limits.js';
import { linkScenario } from './link/scenario.js';
import { linkSizes } from './link/sizes.js';
import { rawTcp } from './raw-tcp.js';
import { restartsScenario } from './restarts.js';
import type { Scenario } from './scenario.js';
import { seedTables } from './seed.js';
import { slowReaders } from './slow-readers.js';
import { smallRequests } from './small-requests.js';
import { startUp } from './start-up.js';
import { tcpInfoScenario } from './tcp-info.js';

/** All scenarios in the order of the page: the most useful first. */
export const SCENARIOS: readonly Scenario[] = [
  files,
  connectionCounts,
  rawTcp,
  cold,
  slowReaders,
  smallRequests,
  accept,
  clusterScenario,
  restartsScenario,
  linkScenario,
  startUp,
  apply,
  tcpInfoScenario,
  seedTables,
  limits,
  linkSizes,
];
