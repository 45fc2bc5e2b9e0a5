import { connect, type Socket } from 'node:net';
import { pipeline, Writable } from 'node:stream';
import { content } from '../../support/files/content.js';
import type { Delay } from '../session/program.js';
import type { LineRecord, Place } from './messages.js';
import { type Act, isUnbroken, type LinePlan, markOf } from './plan.js';

function after(delay: Delay): Promise<void> {
  return new Promise((resolve) => {
    if (delay === 'microtask') queueMicrotask(resolve);
    else if (delay === 'tick') process.nextTick(resolve);
    else if (delay === 'immediate') setImmediate(resolve);
    else setTimeout(resolve, delay);
  });
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Whether a pipe may write a chunk that waited in its source without a call of the sink's `write`, be it replaced or not (Node 26.12,
 * lib/internal/streams/readable.js `deliverFlowChunk`).
 */
const PASSES_BY_WRITE = Object.hasOwn(Writable, 'writeKnownBuffer');

export function connectTo(place: Place, highWaterMark: number | undefined): Socket {
  const options = { allowHalfOpen: true, ...(highWaterMark === undefined ? {} : { highWaterMark }) };
  return connect(
    typeof place === 'string'
      ? { ...options, path: place }
      : { ...options, port: Math.abs(place), host: place < 0 ? '::1' : '127.0.0.1' },
  );
}

/** What there is to say of a line before anything has happened. */
export function noRecord(): LineRecord {
  return { connected: 0, given: [[]], problems: [], bytesRead: 0, hasEnded: false, acts: 0 };
}

/** A line as the app of a proxy has it. Knows at every moment which bytes each sink was given. */
export class ProxyLine {
  readonly record: LineRecord = noRecord();
  readonly #plan: LinePlan;
  readonly #source: Socket;
  readonly #sinks: Socket[] = [];
  readonly #closings: Promise<void>[] = [];
  readonly #places: readonly Place[];
  readonly #bytes: Buffer;
  #marks = 0;
  /** The balance of source and sink: nothing but marks is to be between them. */
  #written = 0;
  readonly #isBroken: boolean;

  constructor(plan: LinePlan, source: Socket, places: readonly Place[]) {
    this.#plan = plan;
    this.#source = source;
    this.#places = places;
    this.#bytes = content(plan.there.size, plan.there.seed);
    this.#isBroken = !isUnbroken(plan);
    this.#watch('source', source);
    source.once('end', () => {
      this.record.hasEnded = true;
    });
    source.once('close', () => {
      this.record.bytesRead = source.bytesRead;
    });
    this.#openSink();
  }

  /** Pipes, takes the acts, and waits until all sockets are closed. It opens no more then. */
  async run(): Promise<void> {
    try {
      await this.#pipeAndAct();
    } catch (error) {
      this.record.problems.push(String(error));
      this.destroy();
    }
    await Promise.all(this.#closings);
  }

  /** Ends a line that hangs. */
  abandon(): void {
    const open = [this.#source, ...this.#sinks].filter((socket) => !socket.closed).length;
    if (open > 0) this.record.problems.push(`${open} sockets of the proxy are not closed`);
    this.destroy();
  }

  destroy(): void {
    for (const socket of [this.#source, ...this.#sinks]) socket.destroy();
  }

  async #pipeAndAct(): Promise<void> {
    const { via, back, operations } = this.#plan;
    const [first] = this.#sinks;
    if (first === undefined) return;
    this.#pipe(via);
    if (back === undefined) first.once('end', () => this.#source.end()).resume();
    else first.pipe(this.#source);
    for (const { at, act } of operations) {
      while (this.#source.bytesRead < at && !this.#isOver) await turn();
      if (this.#isOver) break;
      this.#check();
      this.record.acts++;
      await this.#take(act);
    }
    // Whoever breaks off has to clear up: a pipe leaves the other side open.
    if (!this.#isBroken) return;
    for (const socket of [this.#source, ...this.#sinks]) {
      socket.once('close', () => setTimeout(() => this.destroy(), 30));
      if (socket.closed) setTimeout(() => this.destroy(), 30);
    }
  }

  get #isOver(): boolean {
    return this.#source.destroyed || this.record.hasEnded || this.#sink.destroyed || this.#sink.writableEnded;
  }

  get #sink(): Socket {
    const sink = this.#sinks.at(-1);
    if (sink === undefined) throw new Error('no sink');
    return sink;
  }

  /** The place in the stream of what the sink will be given next. */
  get #place(): number {
    return this.#source.bytesRead - this.#source.readableLength;
  }

  /**
   * What the sink counts as written. A sink that is not connected holds all of it back: Node counts that as NaN if it was corked
   * (lib/net.js `bytesWritten`).
   */
  get #sinkWritten(): number {
    const sink = this.#sink;
    return sink.connecting ? sink.writableLength : sink.bytesWritten;
  }

  get #given(): LineRecord['given'][number] {
    return this.record.given[this.#sinks.length - 1] ?? [];
  }

  #openSink(): void {
    const place = this.#places[this.#sinks.length] ?? '';
    const sink = connectTo(place, this.#plan.sinkHighWaterMark);
    this.#sinks.push(sink);
    this.record.given[this.#sinks.length - 1] = [];
    this.#written = this.#place;
    sink.once('connect', () => {
      this.record.connected++;
    });
    this.#watch('sink', sink);
  }

  #watch(who: string, socket: Socket): void {
    // Every pipeline leaves some.
    socket.setMaxListeners(0);
    this.#closings.push(new Promise((resolve) => socket.once('close', () => resolve())));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!this.#isBroken) this.record.problems.push(`${who}: ${error.code ?? error.message}`);
    });
  }

  #pipe(via: 'pipe' | 'pipeline'): void {
    this.#given.push({ from: this.#place });
    if (via === 'pipe') return void this.#source.pipe(this.#sink);
    pipeline(this.#source, this.#sink, () => undefined);
  }

  /** All that the sink is given ends here. */
  #close(): void {
    const last = this.#given.at(-1);
    if (last !== undefined && 'from' in last && last.to === undefined) last.to = this.#place;
  }

  /** What was read is in the source's buffer, or counted as written. */
  #check(): void {
    if (this.#isOver) return;
    const written = this.#written + this.#sinkWritten;
    if (written === this.#place) return;
    this.record.problems.push(`read ${this.#source.bytesRead}, of them ${this.#place} passed on; written ${written}`);
  }

  async #take(act: Act): Promise<void> {
    const [source, sink] = [this.#source, this.#sink];
    switch (act.what) {
      case 'pause':
        return this.#pause(act.for);
      case 'unpipe':
        return this.#unpipe(act.for);
      case 'cork':
        sink.cork();
        this.#mark();
        await after(act.for);
        return sink.uncork();
      case 'listen':
        return this.#listen(act.for);
      case 'wrap':
        return this.#wrap(act.for);
      case 'move':
        return this.#move(act.for);
      case 'mark':
        return this.#mark();
      case 'options':
        source.setNoDelay(true).setKeepAlive(true, 5000);
        sink.setNoDelay(true).setTimeout(60_000);
        return;
      case 'end':
        return void sink.end();
      case 'destroy':
        return this.#destroy(act);
    }
  }

  /** What the app writes itself comes between what was given before and what is given after. */
  #mark(): void {
    this.#close();
    const mark = this.#marks++;
    this.#given.push({ mark }, { from: this.#place });
    this.#written -= markOf(mark).length;
    this.#sink.write(markOf(mark));
  }

  #destroy({ who, how }: Extract<Act, { what: 'destroy' }>): void {
    const socket = who === 'source' ? this.#source : this.#sink;
    if (how === 'reset' && socket.remotePort !== undefined) socket.resetAndDestroy();
    else socket.destroy(how === 'error' ? new Error('enough') : undefined);
  }

  /** Nothing is passed on in the meantime. */
  async #still(delay: Delay, stop: () => void, goOn: () => void): Promise<void> {
    stop();
    const [place, written] = [this.#place, this.#sinkWritten];
    await after(delay);
    const passedOn = this.#place - place;
    if (!this.#source.destroyed && passedOn !== 0) this.record.problems.push(`passed on ${passedOn} bytes in a pause`);
    // A sink that is destroyed forgets what it has not sent.
    const more = this.#sinkWritten - written;
    if (!this.#sink.destroyed && more !== 0) this.record.problems.push(`wrote ${more} bytes in a pause`);
    goOn();
  }

  async #pause(delay: Delay): Promise<void> {
    // Where the pipe itself waits for 'drain', that lets the source flow again, whoever has paused it.
    while (this.#sink.writableNeedDrain && !this.#isOver) await turn();
    return this.#still(
      delay,
      () => this.#source.pause(),
      () => this.#source.resume(),
    );
  }

  #unpipe(delay: Delay): Promise<void> {
    const [source, sink] = [this.#source, this.#sink];
    return this.#still(
      delay,
      () => source.unpipe(sink),
      () => {
        if (!this.#isOver) source.pipe(sink);
        else if (this.record.hasEnded) sink.end();
      },
    );
  }

  async #move(delay: Delay): Promise<void> {
    // A pipeline does not let go of its sink.
    if (this.#sinks.length === this.#places.length || this.#plan.via === 'pipeline') return;
    const [source, before] = [this.#source, this.#sink];
    source.unpipe(before);
    this.#close();
    await after(delay);
    // Its other direction, if there is one, goes on.
    before.end();
    // A source whose last byte had been passed on has ended meanwhile.
    if (source.destroyed || this.record.hasEnded) return;
    this.#openSink();
    this.#sink.resume();
    this.#pipe('pipe');
  }

  #compare(who: string, from: number, seen: readonly Buffer[]): void {
    const bytes = Buffer.concat(seen);
    const to = from + bytes.length;
    if (!bytes.equals(this.#bytes.subarray(from, to))) this.record.problems.push(`${who}: not the bytes from ${from}`);
    else if (!this.#source.destroyed && to !== this.#place) {
      this.record.problems.push(`${who}: the bytes up to ${to}, and not up to ${this.#place}`);
    }
  }

  /** Some may be missing between them. */
  #compareOrder(who: string, from: number, seen: readonly Buffer[]): void {
    let to = from;
    for (const chunk of seen) {
      const at = this.#bytes.indexOf(chunk, to);
      if (at < 0) return void this.record.problems.push(`${who}: ${chunk.length} bytes that do not come after ${to}`);
      to = at + chunk.length;
    }
    if (!this.#source.destroyed && to > this.#place)
      this.record.problems.push(`${who}: the bytes up to ${to}, after ${this.#place}`);
  }

  async #listen(delay: Delay): Promise<void> {
    const seen: Buffer[] = [];
    const take = (chunk: Buffer): void => void seen.push(chunk);
    const from = this.#place;
    this.#source.on('data', take);
    await after(delay);
    await turn();
    this.#source.off('data', take);
    if (!this.record.hasEnded) this.#compare('listener', from, seen);
  }

  async #wrap(delay: Delay): Promise<void> {
    const sink = this.#sink;
    const { write } = sink;
    const seen: Buffer[] = [];
    const from = this.#place;
    sink.write = function wrapped(this: Socket, ...args: [unknown, ...never[]]): boolean {
      seen.push(args[0] as Buffer);
      return Reflect.apply(write, this, args);
    };
    await after(delay);
    await turn();
    Reflect.deleteProperty(sink, 'write');
    if (sink.destroyed || this.record.hasEnded) return;
    if (PASSES_BY_WRITE) this.#compareOrder('wrapper', from, seen);
    else this.#compare('wrapper', from, seen);
  }
}
