// An app may add properties to Object.prototype. Objects from here do not inherit them.

/** Define a property by the descriptor's own properties. */
export function defineProperty(object: object, name: PropertyKey, descriptor: PropertyDescriptor): void {
  Object.defineProperty(object, name, withoutPrototype(descriptor));
}

/** A copy of an object that inherits nothing. */
export function withoutPrototype<T extends object>(object: T): T {
  // Not a literal with `__proto__: null`, nor Object.create(null): V8 keeps the properties of those in a hash table.
  return Object.setPrototypeOf({ ...object }, null);
}
