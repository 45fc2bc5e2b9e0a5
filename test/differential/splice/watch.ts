import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describeArgument, type Recorder } from '../harness/recorder.js';

/** Nothing here consumes anything: a 'data' listener would take a socket off the path that is to be tested. */
const EVENTS = ['timeout', 'end', 'pipe', 'unpipe', 'prefinish', 'finish', 'error', 'close'];

function listenerCounts(emitter: EventEmitter): Record<string, number> {
  const names = emitter.eventNames().map(String).sort();
  return Object.fromEntries(names.map((name) => [name, emitter.listenerCount(name)]));
}

export function watchSocket(recorder: Recorder, who: string, socket: Socket): void {
  recorder.watch(who, socket, EVENTS);
  recorder.noteAtEnd(who, () => ({
    destroyed: socket.destroyed,
    closed: socket.closed,
    readyState: socket.readyState,
    flowing: socket.readableFlowing,
    readableEnded: socket.readableEnded,
    aborted: socket.readableAborted,
    finished: socket.writableFinished,
    writableEnded: socket.writableEnded,
    writableLength: socket.writableLength,
    corked: socket.writableCorked,
    errored: describeArgument(socket.errored),
    timeout: socket.timeout,
    listeners: listenerCounts(socket),
  }));
  recorder.noteAtEnd(`${who}, figures`, () => ({ read: socket.bytesRead, written: socket.bytesWritten }));
}

/** Records the figures of a socket at its events: where all of a stream goes through, they are the same every time. */
export function watchFigures(recorder: Recorder, who: string, socket: Socket): void {
  for (const event of ['end', 'finish', 'close']) {
    socket.on(event, () => {
      recorder.event(`${who}, figures`, event, `read ${socket.bytesRead}, written ${socket.bytesWritten}`);
    });
  }
}

/** What the app can see of the bytes between the two sockets of a pipe. */
export function between(source: Socket, sink: Socket): number {
  return source.bytesRead - source.readableLength - sink.bytesWritten;
}

/**
 * Looks at every turn of the event loop whether all that was read from the source is in its buffer, or counted as written to the sink. That
 * is so in stock Node, as a pipe writes what it is given at once.
 */
export function watchBalance(recorder: Recorder, source: Socket, sink: Socket): void {
  const differences = new Set<number>();
  let looks = 0;
  const look = (): void => {
    if (source.destroyed || sink.destroyed || source.readableEnded) return;
    looks++;
    differences.add(between(source, sink));
    setImmediate(look);
  };
  look();
  recorder.noteAtEnd('balance', () => ({ isLooked: looks > 1, differences: [...differences] }));
}

/** Records whether events have come at all. How many come depends on the machine. */
export function noteSeen(recorder: Recorder, who: string, emitter: EventEmitter, ...events: readonly string[]): void {
  for (const event of events) {
    let isSeen = false;
    emitter.on(event, () => {
      isSeen = true;
    });
    recorder.noteAtEnd(`${who}: ${event} is seen`, () => isSeen);
  }
}
