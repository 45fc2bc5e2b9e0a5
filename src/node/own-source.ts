import { hiddenSlot } from './hidden-slot.js';

/**
 * A text in the source of each of Node's own functions, in every Node that we support. A function without it is somebody else's: a
 * compression, a logger, an APM agent, mock-fs. Such a wrapper may do anything with its arguments.
 */
const OWN_SOURCE = {
  'Agent.getName': 'if (options.localAddress)',
  'HttpsAgent.getName': 'if (options.ca)',
  'OutgoingMessage.write': 'write_(this, chunk, encoding, callback, false)',
  'OutgoingMessage._send': 'this._headerSent',
  'OutgoingMessage._writeRaw': '_httpMessage === this',
  'OutgoingMessage._flushOutput': 'outputLength = this.outputData.length',
  'Socket._read': 'tryReadStart(this)',
  'Socket.read': 'Duplex.prototype.read.call(this',
  'Socket.pause': 'Duplex.prototype.pause.call(this',
  'Socket.resume': 'Duplex.prototype.resume.call(this',
  'Socket._write': 'this._writeGeneric(false',
  'Socket._writev': 'this._writeGeneric(true',
  'Socket._writeGeneric': 'this._pendingData = data',
  'Socket._destroy': 'this[kBytesWritten] = this._handle.bytesWritten',
  'Socket._unrefTimer': 's[kTimeout].refresh()',
  'Socket._onTimeout': "debug('_onTimeout')",
  'setupChannel/internalMessage': "message.cmd === 'NODE_HANDLE_ACK'",
  startListeningIfSignal: 'signalWraps.set(type, wrap)',
  stopListeningIfSignal: 'signalWraps.delete(type)',
  'Server._listen2': 'this._handle.listen(backlog',
  'Writable.write': '_write(this, chunk, encoding, cb)',
  'Writable.cork': 'state.corked++',
  'Writable.uncork': 'clearBuffer(this, state)',
  // A function that does nothing, in one that warns that it is deprecated: `noStreamOpen` in versions.ts.
  'ReadStream.open': 'process.noDeprecation',
  'ReadStream._construct': '.open(stream.path, stream.flags, stream.mode',
  'ReadStream._read': '.read(this.fd, buf, 0, n, this.pos',
  'ReadStream._destroy': 'this[kIsPerformingIO]',
  'Readable.push': 'readableAddChunk',
  'Readable.pipe/ondata': 'const ret = dest.write(chunk)',
  'Readable.pipe/ondrain': "debug('pipeOnDrain', 1)",
  onStreamRead: 'stream[kUpdateTimer]()',
  'EventEmitter.emit': 'kErrorMonitor',
  'process.binding': 'processBindingAllowList',
  'fs.read': 'binding.read(',
  'fs.open': 'binding.open(',
  'fs.openSync': 'binding.open(',
  'fs.close': 'binding.close(fd, req)',
  'fs.closeSync': 'binding.close(fd)',
  // Of C++ (src/udp_wrap.cc).
  'UDP.send': 'function send() { [native code] }',
  'UDP.send6': 'function send6() { [native code] }',
} as const;

type OwnFunction = keyof typeof OWN_SOURCE;

const OWN_FUNCTIONS = Object.keys(OWN_SOURCE) as OwnFunction[];

/** Each call of pipe() makes them anew: to keep one would keep all that it holds. */
const CLOSURES: ReadonlySet<OwnFunction> = new Set(['Readable.pipe/ondata', 'Readable.pipe/ondrain']);

/** The last function that was found to be Node's own: mostly the next one to be asked about. */
const lastOwn: { [F in OwnFunction]?: Function } = {};

/** Our replacements, and closures, which are many. */
const knownOwn = hiddenSlot<Function, OwnFunction>();

/** Whether a function is Node's own, by its source. A comparison would take a wrapper for Node's own that was there before us. */
export function isNodesOwn(value: unknown, which: OwnFunction): value is Function {
  if (typeof value !== 'function') return false;
  if (lastOwn[which] === value || knownOwn.get(value) === which) return true;
  if (!Function.prototype.toString.call(value).includes(OWN_SOURCE[which])) return false;
  if (CLOSURES.has(which)) knownOwn.set(value, which);
  else lastOwn[which] = value;
  return true;
}

/** Take a replacement of ours for Node's own too, as it does what the original does: the next hook may build on it. */
export function standsFor(replacement: Function, original: Function): void {
  const which = OWN_FUNCTIONS.find((name) => lastOwn[name] === original) ?? knownOwn.get(original);
  if (which !== undefined) knownOwn.set(replacement, which);
}
