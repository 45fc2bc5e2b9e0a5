import { debug } from '../../diagnostics.js';
import { type ClusterMessage, cluster, type GetServer, type ServerQuery } from '../../node/cluster.js';
import type { BoundHandle } from '../../node/net.js';
import { answerQuery, keepMessages } from '../../node/patch/cluster.js';
import { replaceMethod, type Undo } from '../../node/patch/replace.js';
import type { HookContext } from '../context.js';
import { addOwnPort, overlapsOwnPort } from './own-ports.js';
import { bindShared } from './reuse-port.js';

/** TLS servers get their session ticket keys from the primary (lib/_tls_wrap.js), and only Node's own query asks for them. */
function sharesData(server: object): boolean {
  return typeof Reflect.get(server, '_getServerData') === 'function';
}

/** Bind a listener in this worker; undefined if the primary is to be asked, as Node does. */
function bindInWorker(context: HookContext, server: object, query: ServerQuery): BoundHandle | undefined {
  const { address, port, addressType, fd, flags } = query;
  // Port 0 must become the same port in all workers, so the primary chooses it.
  if (typeof addressType !== 'number' || port <= 0 || fd !== undefined || sharesData(server)) return undefined;
  if (overlapsOwnPort(address, port, flags)) return undefined;
  // Where another process has the port alone, the primary fails with EADDRINUSE too, and reports it.
  const handle = bindShared(context, { address, port, addressType, flags });
  if (handle !== undefined) addOwnPort(handle, flags);
  return handle;
}

let keys = 0;

/**
 * Have each server of this worker bind its own listener, under a primary that runs without the preload. Node's own code sends its query; we
 * keep the query from the primary and answer it here, as if the primary shared a listener (SCHED_NONE). So Node's own code still
 * reports 'listening' to the primary, and closes the listener when the worker disconnects. The primary ignores keys that it does not know.
 */
export function patchWorker(context: HookContext): Undo | undefined {
  if (typeof cluster()._getServer !== 'function') return undefined;
  return replaceMethod<GetServer>(
    cluster(),
    '_getServer',
    (original) =>
      function (this: unknown, server, query, callback) {
        const handle = bindInWorker(context, server, query);
        if (handle === undefined) return original.call(this, server, query, callback);
        const isQuery = ({ act }: ClusterMessage): boolean => act === 'queryServer';
        const [kept] = keepMessages(isQuery, () => original.call(this, server, query, callback));
        if (kept === undefined) {
          debug('no query for the primary was seen, so the listener is closed');
          handle.close();
          return undefined;
        }
        const key = `socket-tune:worker:${keys++}`;
        // An answer from the primary would not come sooner.
        setImmediate(() => answerQuery(kept, key, handle));
        return undefined;
      },
  );
}
