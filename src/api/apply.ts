import type { Server, Socket } from 'node:net';
import type { TuneConfig } from '../config/tune-config.js';
import { validateConfig } from '../config/validate.js';
import { invalidArgument, SocketTuneError } from '../errors.js';
import { leaveNagle, requestFor } from '../hooks/sockets/accepted-request.js';
import { tuneAccepted } from '../hooks/sockets/accepted-socket.js';
import { armQuickAck, isQuickAckInstalled, quickAckHook } from '../hooks/sockets/quick-ack.js';
import { platform } from '../native/index.js';
import { familyOf } from '../native/sockets/handle-fd.js';
import { boundPort } from '../node/addresses.js';
import { net } from '../node/modules.js';
import { asNetServer, handleBelow, hasHandle, type ListenHandle, type SocketHandle } from '../node/net.js';
import { applyAndConfirm, applyPlan } from '../options/apply.js';
import type { OptionOutcome } from '../options/outcome.js';
import { type Plan, planOptions } from '../options/plan.js';
import type { SocketFamily } from '../options/socket-option.js';
import { hookContext } from './hook-context.js';

type PlanByFamily = { -readonly [F in SocketFamily]?: Plan };

/** Plans of frozen configs. Any other config may have changed since the last call, so it is planned each time. */
const plans = new WeakMap<TuneConfig, PlanByFamily>();

function makePlan(config: TuneConfig, family: SocketFamily): Plan {
  const values = validateConfig(config);
  const exactBuffers = values.bufferMode === 'exact';
  const kind = { target: 'accepted', family, clientSpeaksFirst: false, exactBuffers } as const;
  return planOptions(platform(), values, kind);
}

function acceptedPlan(config: TuneConfig, family: SocketFamily): Plan {
  const known = plans.get(config);
  const plan = known?.[family];
  if (plan !== undefined) return plan;
  const made = makePlan(config, family);
  if (known !== undefined) known[family] = made;
  else if (Object.isFrozen(config)) plans.set(config, { [family]: made });
  return made;
}

/** @throws {SocketTuneError} `ERR_SOCKET_TUNE_INVALID_ARG`, `ERR_SOCKET_TUNE_SOCKET_CLOSED` */
export function socketHandle(socket: unknown): SocketHandle {
  if (!(socket instanceof net().Socket) || !hasHandle(socket)) throw invalidArgument('socket', 'a net.Socket', socket);
  if (socket._handle === null) {
    throw new SocketTuneError('ERR_SOCKET_TUNE_SOCKET_CLOSED', 'socket is closed, or has not begun to connect');
  }
  // A TLSSocket wraps the TCP connection.
  return handleBelow(socket._handle) ?? socket._handle;
}

/**
 * Set the options of a config on a connected socket: those that accepted sockets have. DEFER_ACCEPT and FASTOPEN are options of
 * listeners. An option that the kernel refuses is not an error: its outcome says so. A frozen config, as {@link defaultConfig}
 * returns it, costs no allocation while every call succeeds.
 *
 * @returns the outcome of each call, not read back
 * @throws {SocketTuneError} `ERR_SOCKET_TUNE_INVALID_ARG`, `ERR_SOCKET_TUNE_INVALID_VALUE`, or `ERR_SOCKET_TUNE_SOCKET_CLOSED`
 */
export function apply(socket: Socket, config: TuneConfig): readonly OptionOutcome[] {
  const handle = socketHandle(socket);
  const family = familyOf(handle) ?? 'tcp';
  const outcomes = applyPlan(platform(), acceptedPlan(config, family), handle);
  if (config.quickAck === 'on' && family === 'tcp') keepQuickAck(handle, config);
  return outcomes;
}

function keepQuickAck(handle: SocketHandle, config: TuneConfig): void {
  if (!isQuickAckInstalled()) quickAckHook.install(hookContext(config));
  armQuickAck(handle);
}

function listenHandle(server: unknown): ListenHandle {
  if (!(server instanceof net().Server) || !hasHandle(server)) throw invalidArgument('server', 'a net.Server', server);
  if (server._handle === null) {
    throw new SocketTuneError('ERR_SOCKET_TUNE_SOCKET_CLOSED', 'server is not listening; call this when it is');
  }
  return server._handle;
}

/**
 * Set the options of a config on a listening server, and so on every connection that it accepts from now on. The window scale of
 * waiting connections is fixed before that, so buffer sizes do not change it. {@link install} sets them before listen(2).
 *
 * @returns the outcome of each option, read back from the kernel
 * @throws {SocketTuneError} `ERR_SOCKET_TUNE_INVALID_ARG`, `ERR_SOCKET_TUNE_INVALID_VALUE`, or `ERR_SOCKET_TUNE_SOCKET_CLOSED`
 */
export function applyListener(server: Server, config: TuneConfig): readonly OptionOutcome[] {
  const handle = listenHandle(server);
  const context = hookContext(validateConfig(config));
  const request = requestFor(asNetServer(server), context, boundPort(handle));
  leaveNagle(asNetServer(server), request);
  const family = familyOf(handle);
  const plan =
    family === undefined
      ? undefined
      : planOptions(platform(), request.values, { ...request, family, target: 'listener' });
  const outcomes = plan?.steps.map((step) => applyAndConfirm(platform(), step, handle)) ?? [];
  if (config.quickAck === 'on' && !isQuickAckInstalled()) quickAckHook.install(context);
  tuneAccepted(context, request, asNetServer(server), handle, {
    address: '-',
    outcomes: [...outcomes],
    accepted: [],
    connections: 0,
  });
  return [...outcomes, ...(plan?.skipped ?? [])];
}
