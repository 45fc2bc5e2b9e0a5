import type { EventEmitter } from 'node:events';
import type { ReadStream } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { describeArgument, type Recorder } from '../harness/recorder.js';

// Streams, responses and sockets are watched from outside, as an application can. Nothing here consumes anything: a 'data'
// listener would take a stream off the path that is to be tested.

const STREAM_EVENTS = ['open', 'ready', 'end', 'error', 'close'];
const SOCKET_EVENTS = ['connect', 'timeout', 'end', 'pipe', 'unpipe', 'finish', 'error', 'close'];
const WRITABLE_EVENTS = ['pipe', 'unpipe', 'prefinish', 'finish', 'error', 'close'];

/** The fact that {@link countBytes} records, once for each stream. */
export const READ_BYTES = 'read bytes';

function listenerCounts(emitter: EventEmitter): Record<string, number> {
  const names = emitter.eventNames().map(String).sort();
  return Object.fromEntries(names.map((name) => [name, emitter.listenerCount(name)]));
}

/** Records how many bytes a stream has read, and nothing else. */
export function countBytes<S extends ReadStream>(recorder: Recorder, stream: S): S {
  recorder.factAtEnd(READ_BYTES, () => stream.bytesRead);
  return stream;
}

export function watchStream<S extends ReadStream>(recorder: Recorder, who: string, stream: S): S {
  countBytes(recorder, stream);
  recorder.watch(who, stream, STREAM_EVENTS);
  stream.once('resume', () => recorder.event(who, 'resume'));
  recorder.noteAtEnd(who, () => ({
    bytesRead: stream.bytesRead,
    flowing: stream.readableFlowing,
    ended: stream.readableEnded,
    aborted: stream.readableAborted,
    didRead: stream.readableDidRead,
    length: stream.readableLength,
    errored: describeArgument(stream.errored),
    destroyed: stream.destroyed,
    closed: stream.closed,
    pending: stream.pending,
    listeners: listenerCounts(stream),
  }));
  return stream;
}

/** @param framing bytes of a chunked body's framing, which are not the same in every run */
export function watchSocket<S extends Socket>(
  recorder: Recorder,
  who: string,
  socket: S,
  framing = (): number => 0,
): S {
  recorder.watch(who, socket, SOCKET_EVENTS);
  recorder.noteAtEnd(who, () => ({
    bytesWritten: socket.bytesWritten - framing(),
    bytesRead: socket.bytesRead,
    destroyed: socket.destroyed,
    finished: socket.writableFinished,
    length: socket.writableLength,
    needDrain: socket.writableNeedDrain,
    // The end of a connection cancels a write. Whether the socket is told of it is a matter of luck, in stock Node too.
    errored: describeArgument(socket.errored).replace('Error ECANCELED write', ''),
    listeners: listenerCounts(socket),
  }));
  return socket;
}

export function watchResponse(recorder: Recorder, who: string, response: ServerResponse): void {
  watchWritable(recorder, who, response);
  const { socket } = response;
  const before = socket?.bytesWritten ?? 0;
  response.on('finish', () => {
    // A logger writes this figure when the response is done. With chunks it differs, as their framing does.
    if (!response.chunkedEncoding && socket !== null) recorder.note(`${who} sent`, socket.bytesWritten - before);
  });
  recorder.noteAtEnd(`${who} as a message`, () => ({
    headersSent: response.headersSent,
    finished: response.finished,
  }));
}

export function watchWritable(recorder: Recorder, who: string, writable: Writable | ServerResponse): void {
  recorder.watch(who, writable, WRITABLE_EVENTS);
  recorder.noteAtEnd(who, () => ({
    finished: writable.writableFinished,
    ended: writable.writableEnded,
    length: writable.writableLength,
    needDrain: writable.writableNeedDrain,
    corked: writable.writableCorked,
    destroyed: writable.destroyed,
    errored: describeArgument(writable.errored),
    listeners: listenerCounts(writable),
  }));
}
