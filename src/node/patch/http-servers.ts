import type { HttpServerTimes } from '../http.js';
import { isLoaded } from '../modules.js';
import { afterBuiltin } from './modules.js';
import { mutable, type Undo, undoAll } from './replace.js';
import { type OnServer, watchMaker, watchServerClass } from './server-class.js';

/** How the servers of each module are met. The class of http2's servers is exported by nobody. */
const HTTP_MODULES: Readonly<Record<string, (onServer: OnServer) => Undo>> = {
  'NativeModule http': (onServer) => watchServerClass(process.getBuiltinModule('node:http'), onServer),
  'NativeModule https': (onServer) => watchServerClass(process.getBuiltinModule('node:https'), onServer),
  'NativeModule http2': (onServer) =>
    watchMaker(process.getBuiltinModule('node:http2'), 'createSecureServer', onServer),
};

/** Watch a module's servers from now on, or as soon as it is loaded, which we do not do. */
function watchWhenLoaded(entry: string, watch: (onServer: OnServer) => Undo, onServer: OnServer): Undo {
  if (isLoaded(entry)) return watch(onServer);
  let unwatch: Undo | undefined;
  const forget = afterBuiltin(entry, () => {
    unwatch = watch(onServer);
  });
  return () => {
    forget();
    unwatch?.();
  };
}

/** Call `onServer` with each http and https server, and each http2 server that may speak HTTP/1.1, and its options. */
export function watchHttpServers(onServer: OnServer): Undo {
  return undoAll(Object.entries(HTTP_MODULES).map(([entry, watch]) => watchWhenLoaded(entry, watch, onServer)));
}

/** @param milliseconds 0: without end */
export function setServerTime(server: HttpServerTimes, name: keyof HttpServerTimes, milliseconds: number): void {
  mutable(server)[name] = milliseconds;
}
