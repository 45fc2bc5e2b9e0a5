import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import stream from 'node:stream';
import tls from 'node:tls';

/** Where a preload could leave something behind. */
const OBJECTS: Readonly<Record<string, object>> = {
  net,
  'net.Socket.prototype': net.Socket.prototype,
  'net.Server.prototype': net.Server.prototype,
  'tls.TLSSocket.prototype': tls.TLSSocket.prototype,
  'tls.Server.prototype': tls.Server.prototype,
  fs,
  'fs.ReadStream.prototype': fs.ReadStream.prototype,
  'fs.WriteStream.prototype': fs.WriteStream.prototype,
  'stream.Readable.prototype': stream.Readable.prototype,
  'stream.Writable.prototype': stream.Writable.prototype,
  'stream.Duplex.prototype': stream.Duplex.prototype,
  http,
  'http.Server.prototype': http.Server.prototype,
  'http.ServerResponse.prototype': http.ServerResponse.prototype,
  'http.OutgoingMessage.prototype': http.OutgoingMessage.prototype,
  'http.IncomingMessage.prototype': http.IncomingMessage.prototype,
  process,
  globalThis,
};

/** Every property of Node's objects, with its attributes, by its full name. */
export type Snapshot = ReadonlyMap<string, PropertyDescriptor>;

export function snapshot(): Snapshot {
  const found = new Map<string, PropertyDescriptor>();
  for (const [name, object] of Object.entries(OBJECTS)) {
    for (const key of Reflect.ownKeys(object)) {
      const descriptor = Reflect.getOwnPropertyDescriptor(object, key);
      if (descriptor !== undefined) found.set(`${name}.${String(key)}`, descriptor);
    }
  }
  return found;
}

/** Names of the properties that differ between two snapshots, or are in only one of them. */
export function differences(before: Snapshot, after: Snapshot): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => !isSame(before.get(name), after.get(name))).sort();
}

function isSame(one: PropertyDescriptor | undefined, other: PropertyDescriptor | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return (['value', 'get', 'set', 'writable', 'enumerable', 'configurable'] as const).every((attribute) =>
    Object.is(one[attribute], other[attribute]),
  );
}

/** Restores properties that nobody else restores. */
export function restore(before: Snapshot, names: readonly string[]): void {
  for (const name of names) {
    const dot = name.lastIndexOf('.');
    const object = OBJECTS[name.slice(0, dot)];
    const descriptor = before.get(name);
    if (object === undefined) throw new Error(`${name} is of no object that is known`);
    if (descriptor === undefined) Reflect.deleteProperty(object, name.slice(dot + 1));
    else Object.defineProperty(object, name.slice(dot + 1), descriptor);
  }
}
