/** What an app has said, where it made a net.Server, of options that Node gives the connections. Absent: it has said nothing. */
export interface ServerWord {
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
}

/**
 * Where the words are. Channels are one registry a thread: the preload notes, and the runtime, which has a copy of this file, looks. Node
 * itself keeps what came of the options, which is the same for `false` and for nothing.
 */
const WORDS = Symbol.for('socket-tune:server-words');
const registry: object = process.getBuiltinModule('node:diagnostics_channel').channel(WORDS);

function words(): WeakMap<object, ServerWord> {
  const known: unknown = Reflect.get(registry, WORDS);
  if (known instanceof WeakMap) return known;
  const made = new WeakMap<object, ServerWord>();
  Reflect.set(registry, WORDS, made);
  return made;
}

/** As Node takes a flag; null is nothing to an http server, and to us. */
function flag(options: object, name: keyof ServerWord): ServerWord {
  // Without calling a getter, which Node calls once; and what is inherited does not count for Node either.
  const value: unknown = Object.getOwnPropertyDescriptor(options, name)?.value;
  return value === undefined || value === null ? {} : { [name]: Boolean(value) };
}

/** @param options that a server was made with, or whatever is in their place */
export function noteServerWord(server: object, options: unknown): void {
  if (typeof options !== 'object' || options === null || words().has(server)) return;
  words().set(server, { ...flag(options, 'noDelay'), ...flag(options, 'keepAlive') });
}

/** Nothing of a server that was made before anybody looked. */
export function serverWord(server: object): ServerWord {
  return words().get(server) ?? {};
}
