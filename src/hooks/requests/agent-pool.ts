import type { AgentOptions, HttpAgent } from '../../node/http.js';
import { http, https, isHttpsLoaded } from '../../node/modules.js';
import type { NetSocket } from '../../node/net.js';
import { replaceOwn } from '../../node/patch/own-methods.js';
import { type Undo, undoAll } from '../../node/patch/replace.js';
import type { PoolGuard } from './pool-guard.js';

type GetName = HttpAgent['getName'];

function socketsOf(pool: unknown, name: string): NetSocket[] {
  if (typeof pool !== 'object' || pool === null || !Object.hasOwn(pool, name)) return [];
  const sockets: unknown = Reflect.get(pool, name);
  return Array.isArray(sockets) ? sockets : [];
}

function isNodes(getName: unknown): boolean {
  return getName === http().Agent.prototype.getName || (isHttpsLoaded() && getName === https().Agent.prototype.getName);
}

/** The connection that the agent would take next (lib/_http_agent.js `addRequest`). */
function nextOf({ scheduling }: HttpAgent, sockets: readonly NetSocket[]): NetSocket | undefined {
  return scheduling === 'fifo' ? sockets.find((socket) => !socket.destroyed) : sockets.at(-1);
}

function drop(guard: PoolGuard, socket: NetSocket, { host, port }: AgentOptions): void {
  guard.drop(socket, typeof host === 'string' ? host : 'localhost', Number(port) || 0);
}

/** Before a request takes a connection of the pool: drop those that the peer has closed, until one is alive. */
function dropIdle(guard: PoolGuard, agent: HttpAgent, options: AgentOptions, name: string): void {
  const sockets = socketsOf(agent.freeSockets, name);
  for (let next = nextOf(agent, sockets); next !== undefined; next = nextOf(agent, sockets)) {
    if (!guard.isStale(next)) return;
    sockets.splice(sockets.indexOf(next), 1);
    drop(guard, next, options);
  }
}

/**
 * Before the next request of the queue gets the connection of one that has ended: 'free' in lib/_http_agent.js. Node looks at the socket
 * after it has asked for the name, and leaves the request in the queue if it is destroyed.
 */
function dropReleased(guard: PoolGuard, agent: HttpAgent, options: AgentOptions, name: string): void {
  if (socketsOf(agent.requests, name).length === 0) return;
  for (const socket of [...socketsOf(agent.sockets, name)]) {
    if (socket._httpMessage?._closed === true && !socket.destroyed && guard.isStale(socket)) {
      drop(guard, socket, options);
    }
  }
}

/** Before a request takes a connection. */
function lookForRequest(guard: PoolGuard, agent: HttpAgent, options: AgentOptions, name: string): void {
  if (isNodes(agent.getName)) return dropIdle(guard, agent, options, name);
  // The subclass has a method of its own, and makes a longer name of this one.
  for (const longer of Object.keys(agent.freeSockets)) {
    if (longer.includes(name)) dropIdle(guard, agent, options, longer);
  }
}

/**
 * An agent asks for the name of a destination before it looks into its pool. It is a small function that calls nobody back, so ours shows
 * in no stack.
 */
function makeGetName(guard: PoolGuard, original: GetName): GetName {
  return function (this: HttpAgent, ...args) {
    const name = original.apply(this, args);
    const [options] = args;
    if (options == null || typeof this?.freeSockets !== 'object') return name;
    // Only the options of a connection have that key, and not those of a new request.
    if (options._agentKey === undefined) lookForRequest(guard, this, options, name);
    else dropReleased(guard, this, options, name);
    return name;
  };
}

/** Whether Node looks at a connection itself before a request gets it: `guardsAgents` in node/versions.ts. */
function guardsAgentsItself(): boolean {
  return String(Reflect.get(http().Agent.prototype, 'addRequest')).includes('hasPendingRead');
}

/**
 * Guards the pools of http.Agent and https.Agent, which belong to the clients of `http`: axios, got, node-fetch and many others. Where Node
 * guards them itself, nothing of it is replaced.
 */
export class AgentPools {
  readonly #guard: PoolGuard;
  readonly #known = new WeakSet();
  #isNodes: boolean | undefined;
  #undoHttp: Undo | undefined;
  #undoHttps: Undo | undefined;

  constructor(guard: PoolGuard) {
    this.#guard = guard;
  }

  /** An agent's request writes: this is called for every write. `https` is not loaded for it, but is there where an agent of it is. */
  noteAgent(agent: object): void {
    this.#isNodes ??= guardsAgentsItself();
    if (this.#isNodes || this.#known.has(agent)) return;
    this.#known.add(agent);
    this.#undoHttp ??= this.#patch('Agent.getName');
    if (this.#undoHttps === undefined && isHttpsLoaded()) this.#undoHttps = this.#patch('HttpsAgent.getName');
  }

  undo(): void {
    undoAll([this.#undoHttp ?? (() => undefined), this.#undoHttps ?? (() => undefined)])();
  }

  #patch(name: 'Agent.getName' | 'HttpsAgent.getName'): Undo {
    return replaceOwn(name, (original) => makeGetName(this.#guard, original)) ?? (() => undefined);
  }
}
