/** Define a property by what its descriptor itself says: attributes that somebody put on Object.prototype do not count. */
export function defineProperty(object: object, name: PropertyKey, descriptor: PropertyDescriptor): void {
  const own: object = { __proto__: null, ...descriptor };
  Object.defineProperty(object, name, own);
}
