/** The options of a net.Server that Node sets on its connections, as the app has set them. Absent: the app has not. */
export interface ServerChoice {
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
}

/**
 * A channel, as channels are one registry a thread: the preload writes the choices, and the runtime, which has a copy of this file,
 * reads them. A server itself does not tell `false` from an option that was left out.
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

/** As Node takes a flag. An http server takes null as left out, and so do we. */
function flag(options: object, name: keyof ServerChoice): ServerChoice {
  // Not by a getter: Node calls it, and once. Node does not read inherited properties either.
  const value: unknown = Object.getOwnPropertyDescriptor(options, name)?.value;
  return value === undefined || value === null ? {} : { [name]: Boolean(value) };
}

/** @param options that a server was made with, or whatever is in their place */
export function noteServerChoice(server: object, options: unknown): void {
  if (typeof options !== 'object' || options === null || choices().has(server)) return;
  choices().set(server, { ...flag(options, 'noDelay'), ...flag(options, 'keepAlive') });
}

/** Empty for a server that was made before the preload watched. */
export function serverChoice(server: object): ServerChoice {
  return choices().get(server) ?? {};
}
