/** A value of ours on objects of Node's or the app's, which nobody else can see. */
export interface HiddenSlot<T extends object, V> {
  get(object: T): V | undefined;
  set(object: T, value: V): void;
}

/** Its constructor returns an object of somebody else's: a subclass then puts its private fields on that object. */
class Bearer {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the purpose of this class
    return object;
  }
}

/**
 * Make a slot: a private field, which an object gets when it is first set. The value lives as long as its object.
 *
 * For objects that come and go. One that lives long, such as a server, is better in a WeakMap: where it has many properties already, V8 would
 * turn all of them into a dictionary. Test: register/listeners/shapes.
 *
 * A WeakMap would cost more here. V8's minor collections take its values for reachable, so all that they refer to (a request, and with it the
 * connection) moves to the old generation. Measured: a fifth of the CPU of a short connection.
 */
export function hiddenSlot<T extends object, V>(): HiddenSlot<T, V> {
  return class Slot extends Bearer {
    // biome-ignore lint/style/useReadonlyClassProperties: `set` assigns it, on an object that is not called `this`
    #value: V;

    constructor(object: T, value: V) {
      super(object);
      this.#value = value;
    }

    static get(object: T): V | undefined {
      return #value in object ? object.#value : undefined;
    }

    static set(object: T, value: V): void {
      if (#value in object) object.#value = value;
      else new Slot(object, value);
    }
  };
}
