import { createHash } from 'node:crypto';
import { type EventEmitter, once } from 'node:events';
import { createReadStream, openSync, promises, type ReadStream } from 'node:fs';
import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { PassThrough, pipeline, type Writable } from 'node:stream';
import { pipeline as pipelinePromise } from 'node:stream/promises';
import type { Recorder } from '../harness/recorder.js';
import type { Values } from './values.js';

/** How long a stream is paused or a destination corked: nothing depends on it. */
const WHILE_MS = 5;

/** When the timer comes in which a stream is piped: it is open by then. */
const TIMER_MS = 5;

/** A scenario that is under way. */
interface Play {
  readonly values: Values;
  readonly recorder: Recorder;
  readonly stream: ReadStream;
  readonly destination: Writable;
  /** The destination, or what is below it. */
  readonly socket: Socket;
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error as NodeJS.ErrnoException).code ?? error.message;
}

async function openStream({ source }: Values, path: string): Promise<ReadStream> {
  if (source === 'path') return createReadStream(path);
  if (source === 'descriptor') return createReadStream('', { fd: openSync(path, 'r'), start: 0 });
  return createReadStream('', { fd: await promises.open(path), start: 0 });
}

function watch({ stream, destination, recorder }: Play): void {
  for (const event of ['open', 'ready', 'end', 'close']) stream.on(event, () => recorder.event('stream', event));
  stream.on('error', (error) => recorder.event('stream', `error ${codeOf(error)}`));
  for (const event of ['pipe', 'unpipe', 'finish', 'close'])
    destination.on(event, () => recorder.event('destination', event));
  destination.on('error', (error) => recorder.event('destination', `error ${codeOf(error)}`));
}

/** Records what another consumer of the stream has got. */
function hashOf({ recorder }: Play, source: NodeJS.ReadableStream): void {
  const hash = createHash('sha1');
  let bytes = 0;
  source.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    bytes += chunk.length;
  });
  source.on('end', () => {
    recorder.note('other consumer', `${bytes} bytes, ${hash.digest('hex')}`);
  });
}

function hasSent({ destination, socket }: Play): boolean {
  return destination instanceof ServerResponse ? destination.headersSent : socket.bytesWritten > 0;
}

const ACTS: Readonly<Record<Values['act'], (play: Play) => void>> = {
  header({ destination }) {
    if (destination instanceof ServerResponse) destination.setHeader('X-Late', '1');
  },
  'status 404 and end'({ destination, stream }) {
    stream.destroy();
    if (destination instanceof ServerResponse) destination.statusCode = 404;
    destination.end('no');
  },
  'write ahead'({ destination }) {
    destination.write('AHEAD');
  },
  destroy({ destination, stream }) {
    stream.once('close', () => destination.end());
    stream.destroy();
  },
  unpipe({ destination, stream }) {
    stream.unpipe(destination);
    destination.end('unpiped');
    stream.destroy();
  },
  pause(play) {
    play.stream.pause();
    setTimeout(() => {
      // Whether something was sent while the stream was paused.
      play.recorder.note('sent while paused', hasSent(play));
      play.stream.resume();
    }, WHILE_MS);
  },
  'second pipe'(play) {
    hashOf(play, play.stream.pipe(new PassThrough()));
  },
  "'data' listener"(play) {
    hashOf(play, play.stream);
  },
  encoding({ stream }) {
    stream.setEncoding('base64');
  },
  cork({ destination }) {
    destination.cork();
    setTimeout(() => {
      if (!destination.writableEnded) destination.uncork();
    }, WHILE_MS);
  },
};

function act(play: Play): void {
  const { recorder, stream, values } = play;
  const headersSent = play.destination instanceof ServerResponse && play.destination.headersSent;
  recorder.note('seen', { bytesRead: stream.bytesRead, headersSent, hasSent: hasSent(play) });
  try {
    ACTS[values.act](play);
  } catch (error) {
    recorder.event('errors', `thrown ${codeOf(error)}`);
  }
}

/** After how much of nothing the app changes its mind, from when it has piped. */
async function changeMind(play: Play): Promise<void> {
  switch (play.values.delay) {
    case 'microtask':
      await null;
      return act(play);
    case 'two microtasks':
      await null;
      await null;
      return act(play);
    case 'tick':
      process.nextTick(act, play);
      return;
    case 'immediate':
      setImmediate(act, play);
      return;
    case 'immediate after a microtask':
      await null;
      setImmediate(act, play);
      return;
    // Has been arranged before.
    case "immediate in 'open'":
    case "once('open')":
    case "immediate after once('open')":
  }
}

async function actAfterOpen(play: Play): Promise<void> {
  await once(play.stream, 'open');
  if (play.values.delay === "once('open')") act(play);
  else setImmediate(act, play);
}

function arrange(play: Play): void {
  const { values, stream } = play;
  if (values.delay === "immediate in 'open'") stream.once('open', () => setImmediate(act, play));
  if (values.delay.endsWith("once('open')")) void actAfterOpen(play);
}

function pipe(play: Play): void {
  play.stream.pipe(play.destination);
  void changeMind(play);
}

function begin(play: Play): void {
  const { values, stream, destination, recorder } = play;
  const onEnd = (error: unknown): void => {
    // A note: its turn among the destination's events is a matter of luck.
    if (error) recorder.note('pipeline', codeOf(error));
  };
  switch (values.piping) {
    case 'pipe':
      return pipe(play);
    case 'pipeline':
      pipeline(stream, destination, onEnd);
      return void changeMind(play);
    case 'pipeline of promises':
      pipelinePromise(stream, destination).catch(onEnd);
      return void changeMind(play);
    case "pipe in 'open'":
      stream.once('open', () => pipe(play));
      return;
    case "pipe in 'ready'":
      stream.once('ready', () => pipe(play));
      return;
    case 'pipe in a timer':
      setTimeout(pipe, TIMER_MS, play);
  }
}

/** Serves one connection. Resolves when both the stream and its destination have closed. */
export async function serve(
  values: Values,
  recorder: Recorder,
  path: string,
  destination: Writable,
  socket: Socket,
): Promise<void> {
  const stream = await openStream(values, path);
  const play: Play = { values, recorder, stream, destination, socket };
  watch(play);
  // What the connection leaves open is closed, as every app has to.
  socket.once('close', () => stream.destroy());
  const closed = [stream, destination].map(
    (one: EventEmitter) => new Promise<void>((resolve) => one.once('close', () => resolve())),
  );
  arrange(play);
  begin(play);
  await Promise.all(closed);
}
