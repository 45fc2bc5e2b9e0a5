import { cluster } from '../../node/cluster.js';
import type { Undo } from '../../node/patch/replace.js';
import type { Hook, HookContext } from '../context.js';
import { patchPrimary } from './cluster-primary.js';
import { patchWorker } from './cluster-worker.js';
import { sharesPorts } from './reuse-port.js';

function install(context: HookContext): Undo | undefined {
  const { isMainThread } = process.getBuiltinModule('node:worker_threads');
  if (!isMainThread || !sharesPorts(context)) return undefined;
  if (cluster().isWorker) return context.isListenedFor ? undefined : patchWorker(context);
  return patchPrimary(context);
}

/** Gives each worker of a cluster a listener of its own: made by the primary, or by the worker if the primary runs without the preload. */
export const clusterHook: Hook = { name: 'cluster', install };
