import { debug } from '../../diagnostics.js';
import { type HttpServerTimes, NODES_TIMES } from '../../node/http.js';
import { setServerTime, watchHttpServers } from '../../node/patch/http-servers.js';
import type { Undo } from '../../node/patch/replace.js';

// The preload loads this file where BEHIND is set: an app's servers are met when they are made. What the app says later is an assignment,
// which replaces our value. So nothing has to watch the server, and its properties stay what they are.

/** In this order, as `headersTimeout` must not exceed `requestTimeout`. */
const TIMES = ['requestTimeout', 'headersTimeout', 'keepAliveTimeout'] as const;

type TimeName = (typeof TIMES)[number];

/**
 * A channel, as channels are one registry a thread: the preload writes the servers that it has met, and the runtime, which has a copy of
 * this file, reads them.
 */
const MET = Symbol.for('socket-tune:http-servers');
const registry: object = process.getBuiltinModule('node:diagnostics_channel').channel(MET);

function metServers(): WeakSet<object> {
  const known: unknown = Reflect.get(registry, MET);
  if (known instanceof WeakSet) return known;
  const made = new WeakSet();
  Reflect.set(registry, MET, made);
  return made;
}

/** The descriptor that reading a property would find: Node reads these options with what they inherit. */
function descriptorOf(object: object, name: string): PropertyDescriptor | undefined {
  for (let each: object | null = object; each !== null; each = Object.getPrototypeOf(each)) {
    const descriptor = Object.getOwnPropertyDescriptor(each, name);
    if (descriptor !== undefined) return descriptor;
  }
  return undefined;
}

/** Whether options name a time. A getter is taken for naming it: it may not be called once more. */
function names(options: unknown, name: string): boolean {
  if (typeof options !== 'object' || options === null) return false;
  const descriptor = descriptorOf(options, name);
  return descriptor !== undefined && (descriptor.get !== undefined || descriptor.value !== undefined);
}

/** The options of an http2 server have those for HTTP/1.1 in an object of their own (lib/internal/http2/core.js). */
function isGiven(options: unknown, name: TimeName): boolean {
  if (names(options, name)) return true;
  if (typeof options !== 'object' || options === null) return false;
  const http1: unknown = descriptorOf(options, 'http1Options')?.value;
  return names(http1, name);
}

/** A time that is a property like Node makes it. A class of the app may have an accessor in its place. */
function timeOf(server: object, name: TimeName): number | undefined {
  const { writable = false, value } = Object.getOwnPropertyDescriptor(server, name) ?? {};
  return writable && typeof value === 'number' ? value : undefined;
}

function isHttp(server: object): server is HttpServerTimes {
  return TIMES.some((name) => timeOf(server, name) !== undefined);
}

/** What the time of a server is raised to; undefined: it stays. 0 is without end. */
function raised(server: object, name: TimeName, least: number): number | undefined {
  const time = timeOf(server, name);
  if (time === undefined || time === 0) return undefined;
  const limit = (name === 'headersTimeout' && timeOf(server, 'requestTimeout')) || Number.POSITIVE_INFINITY;
  const wanted = Math.min(Math.max(time, least), limit);
  return wanted > time ? wanted : undefined;
}

function raiseTimes(server: HttpServerTimes, least: number, isLeft: (name: TimeName) => boolean): void {
  for (const name of TIMES) {
    const wanted = raised(server, name, least);
    if (wanted === undefined) continue;
    if (isLeft(name)) setServerTime(server, name, wanted);
    debug('http server: %s is %d ms, which is %s', name, server[name], isLeft(name) ? 'raised' : "the app's word");
  }
}

/**
 * Raise the idle times that the app has left to Node, of each http server that is made from now on.
 *
 * @param least milliseconds that a connection may be idle
 */
export function raiseIdleTimes(least: number): Undo {
  return watchHttpServers((server, options) => {
    metServers().add(server);
    try {
      if (isHttp(server)) raiseTimes(server, least, (name) => !isGiven(options, name));
    } catch (error) {
      // A Proxy of the app's may throw where it is asked what Node does not ask.
      debug('http server: its times stay, as its options do not tell: %o', error);
    }
  });
}

/**
 * The same for a server that is about to listen, and was not met: it was made before the watch began, or by a function that somebody had
 * taken before. What the app has said cannot be known any more, so that a time that is Node's is taken for left.
 */
export function raiseUnmet(server: object, least: number): void {
  if (metServers().has(server) || !isHttp(server)) return;
  metServers().add(server);
  raiseTimes(server, least, (name) => timeOf(server, name) === NODES_TIMES[name]);
}
