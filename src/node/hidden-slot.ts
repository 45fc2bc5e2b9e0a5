/** A value of ours on each of some objects of Node's or the app's, which nobody else can see. */
export interface HiddenSlot<T extends object, V> {
  get(object: T): V | undefined;
  set(object: T, value: V): void;
}

/** A constructor that answers with an object of somebody else's has a subclass put its private fields on that object. */
class Bearer {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: that is what it is for
    return object;
  }
}

/**
 * Make a slot: a private field that objects are given when it is first set on them. The value lives as long as its object.
 *
 * A WeakMap would do the same for more: V8's minor collections take its values for reachable, so that all that hangs on them (a
 * request, and with it the connection) is moved to the old generation. Seen as a fifth of the CPU of a short connection.
 */
export function hiddenSlot<T extends object, V>(): HiddenSlot<T, V> {
  return class Slot extends Bearer {
    // biome-ignore lint/style/useReadonlyClassProperties: it is reassigned, on an object that is not called `this`
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
