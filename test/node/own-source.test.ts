import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { PassThrough, Readable, Writable } from 'node:stream';
import { expect } from 'chai';
import { type DatagramHandle, datagramPrototype } from '../../src/node/dgram.js';
import { isNodesOwn, standsFor } from '../../src/node/own-source.js';
import { onlyListener } from '../../src/node/streams.js';

function handlePrototype(): DatagramHandle | undefined {
  const socket = dgram.createSocket('udp4');
  try {
    return datagramPrototype(socket);
  } finally {
    socket.close();
  }
}

/** Where each of the functions that we know by their source is. A Node that has changed one shows here first. */
const WHERE = {
  'OutgoingMessage.write': () => Reflect.get(http.ServerResponse.prototype, 'write'),
  'OutgoingMessage._send': () => Reflect.get(http.ServerResponse.prototype, '_send'),
  'OutgoingMessage._writeRaw': () => Reflect.get(http.ServerResponse.prototype, '_writeRaw'),
  'OutgoingMessage._flushOutput': () => Reflect.get(http.ServerResponse.prototype, '_flushOutput'),
  'Agent.getName': () => http.Agent.prototype.getName,
  'HttpsAgent.getName': () => https.Agent.prototype.getName,
  'Socket._read': () => Reflect.get(net.Socket.prototype, '_read'),
  'Socket.read': () => net.Socket.prototype.read,
  'Socket.pause': () => net.Socket.prototype.pause,
  'Socket.resume': () => net.Socket.prototype.resume,
  'Socket._write': () => Reflect.get(net.Socket.prototype, '_write'),
  'Socket._writev': () => Reflect.get(net.Socket.prototype, '_writev'),
  'Socket._writeGeneric': () => Reflect.get(net.Socket.prototype, '_writeGeneric'),
  'Socket._destroy': () => Reflect.get(net.Socket.prototype, '_destroy'),
  'Socket._unrefTimer': () => Reflect.get(net.Socket.prototype, '_unrefTimer'),
  'Socket._onTimeout': () => Reflect.get(net.Socket.prototype, '_onTimeout'),
  'setupChannel/internalMessage': () => {
    const child = spawn('true', { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    return child.listeners('internalMessage')[0];
  },
  startListeningIfSignal: () => process.rawListeners('newListener').at(-1),
  stopListeningIfSignal: () => process.rawListeners('removeListener').at(-1),
  'Server._listen2': () => Reflect.get(net.Server.prototype, '_listen2'),
  'Writable.write': () => Writable.prototype.write,
  'Writable.cork': () => Writable.prototype.cork,
  'Writable.uncork': () => Writable.prototype.uncork,
  'ReadStream._construct': () => Reflect.get(fs.ReadStream.prototype, '_construct'),
  'ReadStream.open': () => Reflect.get(fs.ReadStream.prototype, 'open'),
  'ReadStream._read': () => Reflect.get(fs.ReadStream.prototype, '_read'),
  'ReadStream._destroy': () => Reflect.get(fs.ReadStream.prototype, '_destroy'),
  'Readable.push': () => Readable.prototype.push,
  'Readable.pipe/ondata': () => {
    const stream = new PassThrough();
    stream.pipe(new PassThrough());
    return onlyListener(stream, 'data');
  },
  'Readable.pipe/ondrain': () => {
    const sink = new PassThrough({ highWaterMark: 1 });
    const stream = new PassThrough();
    sink.write('more than it takes');
    stream.pipe(sink);
    return onlyListener(sink, 'drain');
  },
  onStreamRead: () => {
    const server = net.createServer((accepted) => {
      accepted.destroy();
      server.close();
    });
    const socket = net.connect((server.listen(0).address() as net.AddressInfo).port);
    socket.on('error', () => undefined).resume();
    const { onread } = Reflect.get(socket, '_handle') as { onread?: unknown };
    return onread;
  },
  'EventEmitter.emit': () => EventEmitter.prototype.emit,
  'process.binding': () => Reflect.get(process, 'binding'),
  'fs.read': () => fs.read,
  'fs.open': () => fs.open,
  'fs.openSync': () => fs.openSync,
  'fs.close': () => fs.close,
  'fs.closeSync': () => fs.closeSync,
  'UDP.send': () => handlePrototype()?.send,
  'UDP.send6': () => handlePrototype()?.send6,
} as const satisfies Readonly<Record<Parameters<typeof isNodesOwn>[1], () => unknown>>;

type Known = keyof typeof WHERE;

describe('Node’s own code', () => {
  for (const [name, find] of Object.entries(WHERE) as [Known, () => unknown][]) {
    it(`is what we know: ${name}`, function () {
      const own = find();
      // Node 26 has it no more.
      if (name === 'ReadStream.open' && own === undefined) this.skip();
      expect(isNodesOwn(own, name)).to.equal(true);
      expect(isNodesOwn(own, name)).to.equal(true);
    });
  }

  it('is told from a wrapper around it, a bound copy, and what is no function', () => {
    const { write } = Writable.prototype;
    for (const value of [
      (...args: unknown[]) => Reflect.apply(write, undefined, args),
      write.bind(new PassThrough()),
      new Proxy(write, {}),
      'write_(this, chunk, encoding, callback, false)',
      undefined,
      null,
    ]) {
      expect(isNodesOwn(value, 'Writable.write')).to.equal(false);
    }
  });

  it('may be stood for by a replacement of ours, and by nobody else’s', () => {
    const ours = (): void => undefined;
    const theirs = (): void => undefined;
    expect(isNodesOwn(ours, 'Writable.write')).to.equal(false);
    expect(isNodesOwn(Writable.prototype.write, 'Writable.write')).to.equal(true);
    standsFor(ours, Writable.prototype.write);
    standsFor(theirs, () => undefined);
    expect(isNodesOwn(ours, 'Writable.write')).to.equal(true);
    expect(isNodesOwn(ours, 'Writable.cork')).to.equal(false);
    expect(isNodesOwn(theirs, 'Writable.write')).to.equal(false);
  });
});
