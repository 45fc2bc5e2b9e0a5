import { exchange, replaceMethod, type Undo } from './replace.js';

/** Gets a server that has just been made, and what stands in the place of its options. */
export type OnServer = (server: object, options: unknown) => void;

/** A module with a class of servers, and a function that makes one. That function calls the class itself, not what is exported. */
interface ServerModule {
  readonly createServer?: unknown;
  readonly Server?: unknown;
}

/**
 * V8 makes an object with places for as many properties as the texts of its class and of the classes above assign to `this` (its
 * `CalculateExpectedNofProperties`). Fewer would do for an http server, whose class is below net's, until it gets one property too many and
 * V8 turns them all into a dictionary. Then each request pays for it. Test: register/listeners/shapes.
 */
type Reserving = Record<string, number>;

/**
 * Call `onServer` with each server of a module's class that is made, or of a class that extends it, and its options. In a class that
 * extends it, that is when `super()` returns.
 */
export function watchServerClass(exported: ServerModule, onServer: OnServer): Undo {
  const { Server } = exported;
  if (typeof exported.createServer !== 'function' || typeof Server !== 'function') return () => undefined;
  const note = (server: unknown, [options]: readonly unknown[]): void => {
    if (typeof server === 'object' && server !== null) onServer(server, options);
  };
  const undoCreate = watchMaker(exported, 'createServer', onServer);
  // Not a Proxy, which shows where an app prints the module: `showsProxies` in versions.ts.
  const watched = function (this: Reserving, ...args: unknown[]): unknown {
    // Never run, see `Reserving`: as many as lib/net.js `Server` has.
    if (args === undefined)
      this.a = this.b = this.c = this.d = this.e = this.f = this.g = this.h = this.i = this.j = this.k = 0;
    if (new.target === undefined) {
      const made: unknown = Reflect.apply(Server, this, args);
      note(made ?? this, args);
      return made;
    }
    const server: object = Reflect.construct(Server, args, new.target === watched ? Server : new.target);
    note(server, args);
    return server;
  };
  Object.defineProperties(watched, Object.getOwnPropertyDescriptors(Server));
  Object.setPrototypeOf(watched, Object.getPrototypeOf(Server));
  exchange(exported, 'Server', Server, watched);
  exchange(Server.prototype, 'constructor', Server, watched);
  return () => {
    undoCreate();
    exchange(exported, 'Server', watched, Server);
    exchange(Server.prototype, 'constructor', watched, Server);
  };
}

/** Call `onServer` with each server that a function of a module makes. */
export function watchMaker(exported: object, name: string, onServer: OnServer): Undo {
  return replaceMethod<(...args: unknown[]) => unknown>(
    exported,
    name,
    (original) =>
      function (this: unknown, ...args) {
        const server = original.apply(this, args);
        if (typeof server === 'object' && server !== null) onServer(server, args[0]);
        return server;
      },
  );
}
