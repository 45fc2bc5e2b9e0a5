import { type EventEmitter, once } from 'node:events';
import { closeSync, createReadStream, openSync, promises, type ReadStream } from 'node:fs';
import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline, type Writable } from 'node:stream';
import { pipeline as pipelinePromise } from 'node:stream/promises';
import { contentOf, fillBlock, textOf } from '../session/bytes.js';
import type { Change, Data, Delay, FileStep, Step } from '../session/program.js';
import { MOST_BLOCKS } from '../session/program.js';
import type { ExchangeRecord, StreamRecord } from './messages.js';

/** A socket, or a response on one. */
export type Destination = Writable;

/** One response, or one connection, that is being served. */
export interface Performance {
  readonly destination: Destination;
  /** The destination, or what is below it in its turn. */
  readonly connection: Socket;
  readonly record: ExchangeRecord;
  pathOf(file: number): string;
  /** A stream has been read, and it is time for this change. */
  change(step: number, file: number, change: Change): void;
}

function after(delay: Delay, act: () => void): void {
  if (delay === 'microtask') queueMicrotask(act);
  else if (delay === 'tick') process.nextTick(act);
  else if (delay === 'immediate') setImmediate(act);
  else setTimeout(act, delay);
}

function passed(delay: Delay): Promise<void> {
  return new Promise((resolve) => after(delay, resolve));
}

function rawBytes(data: Exclude<Data, { as: 'string' }>): Uint8Array {
  const bytes = contentOf(data);
  return data.as === 'Buffer' ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function write(destination: Destination, data: Data): void {
  if (data.as !== 'string') destination.write(rawBytes(data));
  else if (data.isDefault !== true || destination instanceof ServerResponse) {
    destination.write(textOf(data), data.encoding as BufferEncoding);
  } else {
    destination.setDefaultEncoding(data.encoding as BufferEncoding);
    destination.write(textOf(data));
    destination.setDefaultEncoding('utf8');
  }
}

function end(destination: Destination, data: Data | undefined): void {
  if (data === undefined) destination.end();
  else if (data.as === 'string') destination.end(textOf(data), data.encoding as BufferEncoding);
  else destination.end(rawBytes(data));
}

function cork(destination: Destination, delay: Delay): void {
  destination.cork();
  // An end uncorks by itself.
  after(delay, () => {
    if (!destination.writableEnded) destination.uncork();
  });
}

/** Writes until some bytes wait in this process, but fewer than make the stream ask for 'drain'. */
async function fill(destination: Destination, block: number): Promise<number> {
  const socket = destination instanceof ServerResponse ? destination.socket : destination;
  const bytes = fillBlock(block);
  let blocks = 0;
  while (socket?.destroyed === false && socket.writableLength === 0 && blocks < MOST_BLOCKS) {
    destination.write(bytes);
    blocks++;
    await passed('immediate');
  }
  return blocks;
}

async function openStream(step: FileStep, path: string): Promise<ReadStream> {
  const { start, end: last, highWaterMark, autoClose } = step;
  const options = {
    ...(start === undefined ? {} : { start }),
    ...(last === undefined ? {} : { end: last }),
    ...(highWaterMark === undefined ? {} : { highWaterMark }),
    ...(autoClose === undefined ? {} : { autoClose }),
  };
  if (step.by === 'path') return createReadStream(path, options);
  if (step.by === 'FileHandle') return createReadStream(path, { ...options, fd: await promises.open(path) });
  const fd = openSync(path, 'r');
  const stream = createReadStream(path, { ...options, fd });
  if (autoClose === false) stream.on('end', () => closeSync(fd));
  return stream;
}

function watch(performance: Performance, stream: ReadStream, closes: boolean): void {
  const record: StreamRecord = { closes, hasEnded: false, hasClosed: false, bytesRead: 0 };
  performance.record.streams.push(record);
  stream.on('end', () => {
    record.hasEnded = true;
    record.bytesRead = stream.bytesRead;
  });
  stream.on('close', () => {
    record.hasClosed = true;
  });
  // Every app has to do this, or a connection that breaks off leaves a descriptor open.
  const leave = (): void => {
    if (!record.hasEnded) stream.destroy();
  };
  if (performance.connection.closed) leave();
  else performance.connection.once('close', leave);
  stream.on('error', (error) => performance.record.errors.push(`stream: ${error}`));
}

async function send(performance: Performance, index: number, step: FileStep): Promise<void> {
  const { destination } = performance;
  const stream = await openStream(step, performance.pathOf(step.file));
  watch(performance, stream, step.autoClose !== false);
  const { change } = step;
  if (change !== undefined) {
    const emitter: EventEmitter = change.on === 'finish' ? destination : stream;
    emitter.once(change.on, () => performance.change(index, step.file, change));
  }
  if (step.via === 'promises') return pipelinePromise(stream, destination, { end: step.ends });
  if (step.via === 'pipeline') {
    return new Promise((resolve, reject) => {
      pipeline(stream, destination, (error) => (error ? reject(error) : resolve()));
    });
  }
  stream.pipe(destination, { end: step.ends });
  await Promise.race([once(stream, 'end'), once(stream, 'close')]);
}

async function take(performance: Performance, index: number, step: Step): Promise<unknown> {
  const { destination } = performance;
  switch (step.do) {
    case 'write':
      return write(destination, step.data);
    case 'end':
      return end(destination, step.data);
    case 'fill':
      return performance.record.fills.push(await fill(destination, step.block));
    case 'cork':
      return cork(destination, step.for);
    case 'wait':
      return passed(step.for);
    case 'file':
      return send(performance, index, step);
  }
}

/** Take the steps one after the other. */
export async function perform(performance: Performance, steps: readonly Step[]): Promise<void> {
  const { destination, record } = performance;
  // Every pipeline leaves some.
  destination.setMaxListeners(0);
  performance.connection.setMaxListeners(0);
  destination.on('finish', () => {
    record.isFinished = true;
  });
  destination.on('error', (error: NodeJS.ErrnoException) => record.errors.push(`destination: ${error}`));
  try {
    for (const [index, step] of steps.entries()) {
      if (performance.connection.destroyed) throw new Error('the connection has broken off');
      record.begun++;
      await take(performance, index, step);
    }
  } catch (error) {
    record.errors.push(`step ${record.begun}: ${error}`);
  }
  record.isDone = true;
}
