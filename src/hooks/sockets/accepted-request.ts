import type { NetServer } from '../../node/net.js';
import { keepNagle } from '../../node/patch/net.js';
import type { SocketKind } from '../../options/plan.js';
import type { OptionValues } from '../../options/table.js';
import { type HookContext, valuesAt } from '../context.js';
import { serverChoice } from './server-choice.js';

/** The options that the accepted sockets of a listener are to have. */
export interface AcceptedRequest extends Omit<SocketKind, 'target' | 'family'> {
  /** The values of the config for the listener's port. */
  readonly asked: OptionValues;
  /** `asked` without the options that the app has set itself. */
  readonly values: OptionValues;
  /** The app's server has `keepAlive: true`: Node sets some options on each connection, which the app has not named. */
  readonly isRewrittenByNode: boolean;
  /** Options that the app has switched off, where another process may have switched them on. */
  readonly switchedOff: OptionValues;
}

/** Methods that only these servers have. `instanceof` would load http, tls and http2 into every process. */
const CLIENT_SPEAKS_FIRST = ['closeIdleConnections', 'addContext', 'updateSettings'] as const;

/** http, https, tls and http2 servers wait for the client. Any other may greet it first, as SMTP and databases do. */
function clientSpeaksFirst(server: NetServer): boolean {
  return CLIENT_SPEAKS_FIRST.some((method) => typeof Reflect.get(server, method) === 'function');
}

function isHttp(server: NetServer): boolean {
  return typeof Reflect.get(server, 'closeIdleConnections') === 'function';
}

/** The app wants Nagle's algorithm. An http server has `noDelay: false` only if the app has set it, at any time. */
function wantsNagle(server: NetServer): boolean {
  return serverChoice(server).noDelay === false || (isHttp(server) && server.noDelay === false);
}

/** The options that the app has switched off for the connections of a server. */
export function switchedOffBy(server: NetServer): OptionValues {
  return {
    ...(wantsNagle(server) ? { noDelay: false } : {}),
    // The app may have assigned `server.keepAlive = true` since then.
    ...(serverChoice(server).keepAlive === false && !server.keepAlive ? { keepAlive: false } : {}),
  };
}

function withoutChoices(server: NetServer, values: OptionValues): OptionValues {
  const off = switchedOffBy(server);
  return Object.fromEntries(Object.entries(values).filter(([key]) => !(key in off)));
}

/**
 * The options that the connections of a server are to have.
 *
 * @param port that the server is bound to; undefined for a path
 */
export function requestFor(server: NetServer, context: HookContext, port?: number): AcceptedRequest {
  const asked = valuesAt(context, port);
  return {
    asked,
    values: withoutChoices(server, asked),
    clientSpeaksFirst: clientSpeaksFirst(server),
    exactBuffers: context.exactBuffers,
    isRewrittenByNode: server.keepAlive === true,
    switchedOff: {},
  };
}

/**
 * Keep Node from setting NODELAY on each connection, where the config has `noDelay: false`. Only on http servers, which have
 * `noDelay` by default: on any other it is the app's own choice.
 */
export function leaveNagle(server: NetServer, { values }: AcceptedRequest): void {
  if (values.noDelay === false && server.noDelay && isHttp(server)) keepNagle(server);
}
