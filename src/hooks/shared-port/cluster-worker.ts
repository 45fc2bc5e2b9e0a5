import { debug } from '../../diagnostics.js';
import { type ClusterMessage, cluster, type GetServer, type ServerQuery } from '../../node/cluster.js';
import type { BoundHandle } from '../../node/net.js';
import { answerQuery, keepMessages } from '../../node/patch/cluster.js';
import { replaceMethod, type Undo } from '../../node/patch/replace.js';
import type { HookContext } from '../context.js';
import { holdPort, holdsPort } from './own-ports.js';
import { ownListeners, sharingStep } from './reuse-port.js';
import { bindShared } from './shared-bind.js';

/** Servers share the keys of their sessions by way of the primary (lib/_tls_wrap.js), which only Node's own code can ask for. */
function sharesData(server: object): boolean {
  return typeof Reflect.get(server, '_getServerData') === 'function';
}

/** A listener of this worker's own; undefined where Node's own way is to be taken. */
function bindOwn(context: HookContext, server: object, query: ServerQuery): BoundHandle | undefined {
  const { address, port, addressType, fd, flags } = query;
  // What port 0 becomes is the same in all workers, which only the primary can see to.
  if (typeof addressType !== 'number' || port <= 0 || fd !== undefined || sharesData(server)) return undefined;
  const step = sharingStep(context, port);
  if (step === undefined || holdsPort(address, port, flags)) return undefined;
  const handle = bindShared(context, step, { address, port, addressType, flags });
  // Where somebody has the port for himself, Node's own way finds the same, and says so.
  if (handle === undefined) return undefined;
  ownListeners.set(handle, true);
  holdPort(handle, flags);
  return handle;
}

let keys = 0;

/**
 * Have each server of this worker listen for itself, though the primary knows nothing of us. Node's own code believes that the primary has
 * answered with a listener that is shared (SCHED_NONE), and so tells the primary of it, closes it when the worker disconnects, and
 * all the rest. The primary ignores what it hears of keys that it does not know.
 */
export function patchWorker(context: HookContext): Undo | undefined {
  if (typeof cluster()._getServer !== 'function') return undefined;
  return replaceMethod<GetServer>(
    cluster(),
    '_getServer',
    (original) =>
      function (this: unknown, server, query, callback) {
        const handle = bindOwn(context, server, query);
        if (handle === undefined) return original.call(this, server, query, callback);
        const isQuery = ({ act }: ClusterMessage): boolean => act === 'queryServer';
        const [asked] = keepMessages(isQuery, () => original.call(this, server, query, callback));
        if (asked === undefined) {
          debug('the primary has been asked in a way that we do not know');
          handle.close();
          return undefined;
        }
        const key = `socket-tune:worker:${keys++}`;
        // No sooner than an answer from another process would.
        setImmediate(() => answerQuery(asked, key, handle));
        return undefined;
      },
  );
}
