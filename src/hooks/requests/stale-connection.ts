import type { NetSocket } from '../../node/net.js';
import { watchConnect } from '../../node/patch/net.js';
import { type Undo, undoAll } from '../../node/patch/replace.js';
import { watchProgress } from '../../node/patch/sockets/socket-progress.js';
import type { Hook, HookContext } from '../context.js';
import { clientConnection } from '../peers/known-connections.js';
import { AgentPools } from './agent-pool.js';
import { PoolGuard } from './pool-guard.js';
import { guardClient } from './undici-pool.js';

/** Writes of a socket that are looked at. The first ones may be those of a proxy, before undici has the socket. */
const MOST_LOOKS = 4;

/** Look at the writes of all sockets. Undefined if Node's own code is not what we know. */
function lookAtWrites(guard: PoolGuard, agents: AgentPools): Undo | undefined {
  const look = (socket: NetSocket): void => {
    const { _handle: handle, _httpMessage: message } = socket;
    if (handle == null || socket.server != null || !socket._writableState.writing) return;
    if (message != null) {
      if (typeof message.agent === 'object' && message.agent !== null) agents.noteAgent(message.agent);
      return;
    }
    // undici listens so (lib/dispatcher/client-h1.js `connectH1`), and few others do: to look for a client costs more.
    if (!socket._readableState.readableListening) return;
    const connection = clientConnection(socket, handle);
    if (connection.looks >= MOST_LOOKS) return;
    connection.looks++;
    guardClient(guard, socket);
  };
  return watchProgress(look);
}

function install(context: HookContext): Undo | undefined {
  if (!context.guards) return undefined;
  const guard = new PoolGuard(() => context.platform());
  const agents = new AgentPools(guard);
  let undoLooks: Undo | undefined;
  // A process that only accepts connections does without.
  const unwatch = watchConnect(() => {
    undoLooks ??= lookAtWrites(guard, agents);
  });
  return undoAll([unwatch, () => undoLooks?.(), () => agents.undo(), () => guard.switchOff()]);
}

/**
 * Before a client writes a request to a connection that was idle in its pool, the kernel is asked whether the peer has closed it. A client
 * is recognised by the first request that it writes: Node restarts the socket's timeout then.
 */
export const staleConnectionHook: Hook = { name: 'stale-connection', install };
