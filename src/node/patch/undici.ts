import type { NetSocket } from '../net.js';
import { defineProperty } from '../own-properties.js';
import { looksLike } from './replace.js';

/**
 * The part of undici that decides whether a request is written to a connection: lib/dispatcher/client.js, the same in the undici that
 * Node brings for fetch() and in each that an app has installed. Its members are symbols, found by their descriptions
 * (lib/core/symbols.js). Test: hooks/requests/undici-pool.
 */
interface UndiciSymbols {
  /** Of a socket: its client. */
  readonly client: symbol;
  /** Of a client: what it keeps of its connection. Since undici 6.7. */
  readonly context: symbol;
  /** Of a client: how many requests are on their way. */
  readonly running: symbol;
  /** Of a client: how many requests wait. */
  readonly pending: symbol;
  /** Of a client: where it connects to. */
  readonly url: symbol;
}

/** A connection of an HTTP/1.1 client. */
export class ClientConnection {
  /** lib/dispatcher/client-h1.js `connectH1`: the client asks its `destroyed` just before it writes a request. */
  readonly context: object;
  readonly #client: object;
  readonly #symbols: UndiciSymbols;

  constructor(client: object, context: object, symbols: UndiciSymbols) {
    this.context = context;
    this.#client = client;
    this.#symbols = symbols;
  }

  /** Nothing is on its way, and a request waits to be written. */
  get isAboutToWrite(): boolean {
    const { running, pending } = this.#symbols;
    return Reflect.get(this.#client, running) === 0 && Number(Reflect.get(this.#client, pending)) > 0;
  }

  get url(): URL | undefined {
    const url: unknown = Reflect.get(this.#client, this.#symbols.url);
    return url instanceof URL ? url : undefined;
  }
}

/** The symbols of each undici of this thread. */
const copies: UndiciSymbols[] = [];

/** A symbol of an object, or of what it inherits from. */
function symbolOf(object: object, description: string): symbol | undefined {
  for (let holder: object | null = object; holder !== null; holder = Object.getPrototypeOf(holder)) {
    const found = Object.getOwnPropertySymbols(holder).find((symbol) => symbol.description === description);
    if (found !== undefined) return found;
  }
  return undefined;
}

function objectBy(object: object, symbol: symbol): object | undefined {
  const value: unknown = Reflect.get(object, symbol);
  return typeof value === 'object' && value !== null ? value : undefined;
}

/** Undefined for a socket of anybody else's. */
function findSymbols(socket: NetSocket): UndiciSymbols | undefined {
  const client = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'client');
  const holder = client === undefined ? undefined : objectBy(socket, client);
  if (client === undefined || holder === undefined) return undefined;
  const [context, running, pending, url] = ['http context', 'running', 'pending', 'url'].map((description) =>
    symbolOf(holder, description),
  );
  if (context === undefined || running === undefined || pending === undefined || url === undefined) return undefined;
  const found = { client, context, running, pending, url };
  copies.push(found);
  return found;
}

/** The connection of undici's that a socket belongs to now. Undefined for other sockets, and for HTTP/2. */
export function clientConnection(socket: NetSocket): ClientConnection | undefined {
  const symbols = copies.find((copy) => objectBy(socket, copy.client) !== undefined) ?? findSymbols(socket);
  if (symbols === undefined) return undefined;
  const client = objectBy(socket, symbols.client);
  const context = client && objectBy(client, symbols.context);
  if (client === undefined || context === undefined || Reflect.get(context, 'version') !== 'h1') return undefined;
  return new ClientConnection(client, context, symbols);
}

/**
 * Call `before` whenever undici asks whether a connection is destroyed, before it is answered (lib/dispatcher/client-h1.js `connectH1`).
 * There is no undo: the object goes with its connection.
 *
 * @param context what a client keeps of its connection
 */
export function beforeDestroyed(context: object, before: () => void): void {
  const own = Object.getOwnPropertyDescriptor(context, 'destroyed');
  const original = own?.get;
  if (original === undefined || own?.configurable !== true) return;
  const get = function (this: unknown): unknown {
    before();
    return original.call(this);
  };
  looksLike(get, original);
  defineProperty(context, 'destroyed', { ...own, get });
}
