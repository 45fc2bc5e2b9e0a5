/** What an app has said, where it made a net.Server, of options that Node gives the connections. Absent: it has said nothing. */
export interface ServerChoice {
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
}

/**
 * Where the words are. Channels are one registry a thread: the preload notes, and the runtime, which has a copy of this file, looks. Node
 * itself keeps what came of the options, which is the same for `false` and for nothing.
 */
const CHOICES = Symbol.for('socket-tune:server-choices');
const registry: object = process.getBuiltinModule('node:diagnostics_channel').channel(CHOICES);

function choices(): WeakMap<object, ServerChoice> {
  const known: unknown = Reflect.get(registry, CHOICES);
  if (known instanceof WeakMap) return known;
  const made = new WeakMap<object, ServerChoice>();
  Reflect.set(registry, CHOICES, made);
  return made;
}

/** As Node takes a flag; null is nothing to an http server, and to us. */
function flag(options: object, name: keyof ServerChoice): ServerChoice {
  // Without calling a getter, which Node calls once; and what is inherited does not count for Node either.
  const value: unknown = Object.getOwnPropertyDescriptor(options, name)?.value;
  return value === undefined || value === null ? {} : { [name]: Boolean(value) };
}

/** @param options that a server was made with, or whatever is in their place */
export function noteServerChoice(server: object, options: unknown): void {
  if (typeof options !== 'object' || options === null || choices().has(server)) return;
  choices().set(server, { ...flag(options, 'noDelay'), ...flag(options, 'keepAlive') });
}

/** Nothing of a server that was made before anybody looked. */
export function serverChoice(server: object): ServerChoice {
  return choices().get(server) ?? {};
}
