import { hiddenSlot } from './hidden-slot.js';

/**
 * Text that Node's own version of a function has in its source, on every Node that we support. Only a function that has it is
 * Node's own: a wrapper (a compression, a logger, an APM agent, mock-fs) may do anything with what it is given.
 */
const OWN_SOURCE = {
  'OutgoingMessage.write': 'write_(this, chunk, encoding, callback, false)',
  'OutgoingMessage._send': 'this._headerSent',
  'OutgoingMessage._writeRaw': '_httpMessage === this',
  'OutgoingMessage._flushOutput': 'outputLength = this.outputData.length',
  'Socket._write': 'this._writeGeneric(false',
  'Socket._writev': 'this._writeGeneric(true',
  'Socket._writeGeneric': 'this._pendingData = data',
  'Socket._destroy': 'this[kBytesWritten] = this._handle.bytesWritten',
  'Socket._unrefTimer': 's[kTimeout].refresh()',
  'setupChannel/internalMessage': "message.cmd === 'NODE_HANDLE_ACK'",
  startListeningIfSignal: 'signalWraps.set(type, wrap)',
  stopListeningIfSignal: 'signalWraps.delete(type)',
  'Server._listen2': 'this._handle.listen(backlog',
  'Writable.write': '_write(this, chunk, encoding, cb)',
  'Writable.cork': 'state.corked++',
  'Writable.uncork': 'clearBuffer(this, state)',
  // Deprecated, and does nothing: what it is wrapped in says so.
  'ReadStream.open': 'process.noDeprecation',
  'ReadStream._construct': '.open(stream.path, stream.flags, stream.mode',
  'ReadStream._read': '.read(this.fd, buf, 0, n, this.pos',
  'ReadStream._destroy': 'this[kIsPerformingIO]',
  'Readable.push': 'readableAddChunk',
  'Readable.pipe/ondata': 'const ret = dest.write(chunk)',
  'EventEmitter.emit': 'kErrorMonitor',
  'process.binding': 'processBindingAllowList',
  'fs.read': 'binding.read(',
  'fs.open': 'binding.open(',
  'fs.openSync': 'binding.open(',
  'fs.close': 'binding.close(fd, req)',
  'fs.closeSync': 'binding.close(fd)',
} as const;

type Own = keyof typeof OWN_SOURCE;

const OWN_NAMES = Object.keys(OWN_SOURCE) as Own[];

/** The function that was found to be Node's own the last time: mostly the one that is asked about next. */
const lastOwn: { [W in Own]?: Function } = {};

/** Replacements of ours, and closures of which each has its turn only a few times. */
const knownOwn = hiddenSlot<Function, Own>();

/** Whether a function is Node's own, by its source: identity would miss what was wrapped before we came. */
export function isNodesOwn(value: unknown, which: Own): value is Function {
  if (typeof value !== 'function') return false;
  if (lastOwn[which] === value || knownOwn.get(value) === which) return true;
  if (!Function.prototype.toString.call(value).includes(OWN_SOURCE[which])) return false;
  // This one is a closure, which must not be kept with all that it holds.
  if (which === 'Readable.pipe/ondata') knownOwn.set(value, which);
  else lastOwn[which] = value;
  return true;
}

/** A replacement of ours does what the original does, so whoever comes next may build on it as on Node's own. */
export function standsFor(replacement: Function, original: Function): void {
  const which = OWN_NAMES.find((name) => lastOwn[name] === original) ?? knownOwn.get(original);
  if (which !== undefined) knownOwn.set(replacement, which);
}
