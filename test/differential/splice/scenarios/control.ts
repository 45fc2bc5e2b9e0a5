import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { pipeline, Transform } from 'node:stream';
import { reach } from '../../../support/sockets/socket-pair.js';
import type { Recorder } from '../../harness/recorder.js';
import { bulk, MIDDLE, Received, receive, send } from '../flow.js';
import { close, closed, type Line, openLine } from '../line.js';
import { BROKEN_OFF, type SpliceScenario, spliceScenarios, type Travel } from '../scenario.js';
import { between, watchBalance } from '../watch.js';

const bytes = bulk();

/** How many bytes of the stream the sink has been given: in stock Node, the place of whatever comes next. */
function placeOf({ source, sink }: Line): number {
  return source.bytesRead - source.readableLength - between(source, sink);
}

interface ControlOptions {
  readonly travel?: Travel;
  /** Whether the balance of source and sink stays. */
  readonly balanced?: false;
  readonly receivePause?: number;
  /** What the receiver is to get; nothing is compared where `act` says it itself. */
  readonly checksItself?: true;
  /** Parts of notes that are a matter of luck in stock Node, too. */
  readonly loose?: readonly string[];
}

interface Stage {
  readonly line: Line;
  readonly recorder: Recorder;
  /** What the receiver has. */
  readonly received: Received;
  /** Notes a value. */
  readonly note: (name: string, value: unknown) => void;
}

/** A pipe in whose middle something happens. The rest comes all the same. */
function amidst(act: (stage: Stage) => unknown, options: ControlOptions = {}): SpliceScenario {
  const { travel = 'spliced', balanced = true, receivePause = 0, checksItself, loose = [] } = options;
  return {
    travel,
    varying: [...(checksItself ? BROKEN_OFF : []), ...loose],
    async run(recorder) {
      const line = await openLine(recorder);
      const { sender, source, sink, receiver } = line;
      if (balanced) watchBalance(recorder, source, sink);
      const received = receive(receiver, { pause: receivePause });
      const end = once(receiver, 'end');
      recorder.within('piping', () => source.pipe(sink));
      const sent = send(sender, bytes);
      await received.reaches(MIDDLE);
      await recorder.within('acting', () => act({ line, recorder, received, note: (...to) => recorder.note(...to) }));
      await Promise.all([sent, end]);
      receiver.end();
      await closed(source, sink);
      if (!checksItself) recorder.note('received', received.verdict(bytes));
      await close(line);
    },
  };
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Resolves when nothing has come for a while. */
async function settled(received: Received): Promise<void> {
  for (let last = -1; last !== received.length; ) {
    last = received.length;
    await wait(60);
  }
}

/** Whether something is the rest of the stream from a place on. */
function isRest(rest: Buffer, place: number): string {
  if (rest.equals(bytes.subarray(place))) return 'the rest';
  const at = rest.length < 32 ? -1 : bytes.indexOf(rest.subarray(0, 32));
  return `${rest.length} bytes that begin at ${at}, and not ${bytes.length - place} at ${place}`;
}

function pieces(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts);
}

const MARK = Buffer.from('a word of the app’s own');

/** Something of the app's own comes between what was piped before and what is piped after. */
function insert(act: (line: Line) => void, travel: Travel = 'spliced'): SpliceScenario {
  return amidst(
    async ({ line, received, note }) => {
      const place = placeOf(line);
      act(line);
      const { receiver } = line;
      await once(receiver, 'end');
      const expected = pieces(bytes.subarray(0, place), MARK, bytes.subarray(place));
      note('received', received.verdict(expected));
    },
    { checksItself: true, balanced: false, travel },
  );
}

async function otherSink(): Promise<{ socket: Socket; peer: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect(reach(server));
  const [[peer]] = (await Promise.all([once(server, 'connection'), once(socket, 'connect')])) as [[Socket], unknown];
  server.close();
  return { socket, peer };
}

/** The stream goes to another sink from the middle on. */
function toAnother(take: (line: Line, other: Socket) => void): SpliceScenario {
  return {
    travel: 'spliced',
    varying: BROKEN_OFF,
    async run(recorder) {
      const line = await openLine(recorder);
      const other = await otherSink();
      const { sender, source, sink, receiver } = line;
      const first = receive(receiver);
      const second = receive(other.peer);
      source.pipe(sink);
      const end = once(other.peer, 'end');
      const sent = send(sender, bytes);
      await first.reaches(MIDDLE);
      const place = placeOf(line);
      recorder.within('acting', () => take(line, other.socket));
      await Promise.all([sent, end]);
      other.peer.end();
      sink.end();
      receiver.end();
      await closed(source, sink, other.socket);
      recorder.note('the first has', first.verdict(bytes.subarray(0, place)));
      recorder.note('the second has', isRest(second.bytes(), place));
      await close(line);
    },
  };
}

/** Whoever looks from the middle on is given all that comes from there, and so is the receiver. */
function alsoSeen(look: (line: Line, seen: Received) => void, options: ControlOptions = {}): SpliceScenario {
  return amidst(
    async ({ line, note, received }) => {
      const place = placeOf(line);
      const seen = new Received();
      look(line, seen);
      await once(line.receiver, 'end');
      note('seen', isRest(seen.bytes(), place));
      note('received', received.verdict(bytes));
    },
    { checksItself: true, ...options },
  );
}

export const scenarios = spliceScenarios({
  'pause, and resume after a while': amidst(async ({ line, received, note }) => {
    const { source, sink } = line;
    // Where the pipe itself waits for 'drain', that lets the source flow again, whoever has paused it.
    while (sink.writableNeedDrain) await new Promise(setImmediate);
    source.pause();
    const place = placeOf(line);
    await settled(received);
    note('received in the pause', received.verdict(bytes.subarray(0, place)));
    note('is paused', [source.isPaused(), source.readableFlowing]);
    source.resume();
  }),
  'pause and resume at once': amidst(({ line: { source } }) => void source.pause().resume()),
  'pause and resume, fifty times': amidst(
    async ({ line: { source } }) => {
      for (let round = 0; round < 50 && !source.readableEnded; round++) {
        source.pause();
        await new Promise(setImmediate);
        source.resume();
        await new Promise(setImmediate);
      }
    },
    // The stream may end while the pipe waits for its sink.
    { loose: ['flowing'] },
  ),
  'pause in a microtask, resume in a tick': amidst(async ({ line: { source } }) => {
    await null;
    source.pause();
    process.nextTick(() => source.resume());
  }),
  'unpipe, and pipe to the same sink again': amidst(async ({ line, received, note }) => {
    const { source, sink } = line;
    source.unpipe(sink);
    const place = placeOf(line);
    await settled(received);
    note('received while unpiped', received.verdict(bytes.subarray(0, place)));
    note('state', [source.readableFlowing, source.isPaused(), sink.writableLength]);
    source.pipe(sink);
  }),
  'unpipe of all, and pipe at once': amidst(({ line: { source, sink } }) => void source.unpipe().pipe(sink)),
  'unpipe, and another sink': toAnother(({ source, sink }, other) => {
    source.unpipe(sink);
    source.pipe(other);
  }),
  'unpipe, and another sink a while later': toAnother(({ source, sink }, other) => {
    source.unpipe(sink);
    setTimeout(() => source.pipe(other), 50);
  }),
  'unpipe, and a pipeline to another sink': toAnother(({ source }, other) => {
    source.unpipe();
    pipeline(source, other, () => undefined);
  }),
  'a second sink from the middle on': {
    travel: 'spliced',
    async run(recorder) {
      const line = await openLine(recorder);
      const other = await otherSink();
      const { sender, source, sink, receiver } = line;
      const first = receive(receiver);
      const second = receive(other.peer);
      const ends = [once(receiver, 'end'), once(other.peer, 'end')];
      source.pipe(sink);
      const sent = send(sender, bytes);
      await first.reaches(MIDDLE);
      const place = placeOf(line);
      source.pipe(other.socket);
      await Promise.all([sent, ...ends]);
      for (const peer of [receiver, other.peer]) peer.end();
      await closed(source, sink, other.socket);
      recorder.note('the first has', first.verdict(bytes));
      recorder.note('the second has', isRest(second.bytes(), place));
      await close(line);
    },
  },
  'two sinks from the beginning': {
    travel: 'original',
    async run(recorder) {
      const line = await openLine(recorder);
      const other = await otherSink();
      const { sender, source, sink, receiver } = line;
      const first = receive(receiver);
      const second = receive(other.peer, { pause: 1 });
      const ends = [once(receiver, 'end'), once(other.peer, 'end')];
      source.pipe(sink);
      source.pipe(other.socket);
      await Promise.all([send(sender, bytes), ...ends]);
      for (const peer of [receiver, other.peer]) peer.end();
      await closed(source, sink, other.socket);
      recorder.note('received', [first.verdict(bytes), second.verdict(bytes)]);
      await close(line);
    },
  },
  'one of two sinks goes': {
    travel: 'either',
    varying: BROKEN_OFF,
    async run(recorder) {
      const line = await openLine(recorder);
      const other = await otherSink();
      const { sender, source, sink, receiver } = line;
      const first = receive(receiver);
      const second = receive(other.peer);
      const end = once(receiver, 'end');
      source.pipe(sink);
      source.pipe(other.socket);
      const sent = send(sender, bytes);
      await first.reaches(MIDDLE);
      source.unpipe(other.socket);
      other.socket.end();
      await Promise.all([sent, end]);
      receiver.end();
      other.peer.end();
      await closed(source, sink, other.socket);
      recorder.note('received', [first.verdict(bytes), second.verdict(bytes.subarray(0, second.length))]);
      await close(line);
    },
  },

  'a data listener that was there before': {
    travel: 'original',
    async run(recorder) {
      const line = await openLine(recorder);
      const { sender, source, sink, receiver } = line;
      const seen = new Received();
      source.on('data', (chunk: Buffer) => seen.take(chunk));
      const received = receive(receiver);
      const end = once(receiver, 'end');
      source.pipe(sink);
      await Promise.all([send(sender, bytes), end]);
      receiver.end();
      await closed(source, sink);
      recorder.note('received', [seen.verdict(bytes), received.verdict(bytes)]);
      await close(line);
    },
  },
  'a data listener that comes late': alsoSeen(({ source }, seen) => {
    source.on('data', (chunk: Buffer) => seen.take(chunk));
  }),
  'a data listener that comes late, before the pipe’s own': alsoSeen(({ source }, seen) => {
    source.prependListener('data', (chunk: Buffer) => seen.take(chunk));
  }),
  'a data listener that comes late and goes again': amidst(({ line: { source }, note }) => {
    const seen = new Received();
    const take = (chunk: Buffer): void => {
      seen.take(chunk);
      if (seen.length > 100_000) source.off('data', take);
    };
    source.on('data', take);
    source.once('end', () => note('seen', seen.length > 100_000));
  }),
  'a readable listener that comes late': amidst(async ({ line: { source }, note }) => {
    let isSeen = false;
    const onReadable = (): void => {
      isSeen = true;
      source.off('readable', onReadable);
      source.resume();
    };
    source.on('readable', onReadable);
    source.once('end', () => note('seen', isSeen));
  }),
  'a sink whose write is wrapped late': alsoSeen(({ sink }, seen) => {
    const { write } = sink;
    sink.write = function wrapped(this: Socket, ...args: [unknown, ...never[]]): boolean {
      seen.take(args[0] as Buffer);
      return Reflect.apply(write, this, args);
    };
  }),
  'a sink whose _write is wrapped late': alsoSeen(
    ({ sink }, seen) => {
      const { _write, _writev } = sink;
      sink._write = function wrapped(this: Socket, ...args: [unknown, ...never[]]): void {
        seen.take(args[0] as Buffer);
        Reflect.apply(_write, this, args);
      };
      sink._writev = function wrapped(this: Socket, ...args: [unknown, ...never[]]): void {
        for (const { chunk } of args[0] as readonly { chunk: Buffer }[]) seen.take(chunk);
        Reflect.apply(_writev ?? _write, this, args);
      };
    },
    { checksItself: true, balanced: false, travel: 'spliced' },
  ),
  'a source whose emit is wrapped late': alsoSeen(({ source }, seen) => {
    const { emit } = source;
    source.emit = function wrapped(this: Socket, ...args: [string, ...unknown[]]): boolean {
      if (args[0] === 'data') seen.take(args[1] as Buffer);
      return Reflect.apply(emit, this, args);
    } as typeof emit;
  }),
  'a source whose push is wrapped late': alsoSeen(({ source }, seen) => {
    // What is in its buffer has been pushed before.
    const { push } = source;
    source.push = function wrapped(this: Socket, ...args: [unknown, ...never[]]): boolean {
      if (args[0] !== null) seen.take(args[0] as Buffer);
      return Reflect.apply(push, this, args);
    };
  }),

  'a word of the app’s own, written to the sink': insert(({ sink }) => void sink.write(MARK)),
  'a word of the app’s own, given to the source': insert(({ source }) => void source.unshift(MARK), 'either'),
  'a word of the app’s own, emitted as data': insert(({ source }) => void source.emit('data', MARK), 'either'),

  'cork, and uncork after a while': amidst(async ({ line, received, note }) => {
    const { sink } = line;
    sink.cork();
    await settled(received);
    note('is corked', [sink.writableCorked, received.verdict(bytes.subarray(0, received.length))]);
    sink.uncork();
  }),

  'an encoding that is set late': amidst(
    async ({ line, received, note }) => {
      const place = placeOf(line);
      line.source.setEncoding('hex');
      await once(line.receiver, 'end');
      const expected = pieces(bytes.subarray(0, place), Buffer.from(bytes.toString('hex', place)));
      note('received', received.verdict(expected));
    },
    { checksItself: true, balanced: false },
  ),
  'an encoding from the beginning': {
    travel: 'original',
    async run(recorder) {
      const line = await openLine(recorder);
      const { sender, source, sink, receiver } = line;
      source.setEncoding('latin1');
      sink.setDefaultEncoding('latin1');
      const received = receive(receiver);
      const end = once(receiver, 'end');
      source.pipe(sink);
      await Promise.all([send(sender, bytes), end]);
      receiver.end();
      await closed(source, sink);
      recorder.note('received', received.length > bytes.length ? 'as UTF-8' : received.verdict(bytes));
      await close(line);
    },
  },
  'a Transform between them': {
    travel: 'original',
    async run(recorder) {
      const line = await openLine(recorder);
      const { sender, source, sink, receiver } = line;
      const upside = new Transform({
        transform: (chunk: Buffer, _, done) =>
          done(
            null,
            chunk.map((byte) => byte ^ 255),
          ),
      });
      const received = receive(receiver);
      const end = once(receiver, 'end');
      source.pipe(upside).pipe(sink);
      await Promise.all([send(sender, bytes), end]);
      receiver.end();
      await closed(source, sink);
      recorder.note('received', received.verdict(Buffer.from(bytes.map((byte) => byte ^ 255))));
      await close(line);
    },
  },
  'the rest by an async iterator': amidst(
    async ({ line, note, received }) => {
      const { source, sink } = line;
      source.unpipe(sink);
      const place = placeOf(line);
      const rest = new Received();
      for await (const chunk of source) rest.take(chunk);
      note('the rest', isRest(rest.bytes(), place));
      sink.end();
      await settled(received);
      note('received', received.verdict(bytes.subarray(0, place)));
    },
    { checksItself: true, balanced: false },
  ),
  'the rest by read()': amidst(
    async ({ line, note, received }) => {
      const { source, sink } = line;
      source.unpipe(sink);
      const place = placeOf(line);
      const rest = new Received();
      source.on('readable', () => {
        for (let chunk = source.read(); chunk !== null; chunk = source.read()) rest.take(chunk);
      });
      await once(source, 'end');
      note('the rest', isRest(rest.bytes(), place));
      sink.end();
      await settled(received);
      note('received', received.verdict(bytes.subarray(0, place)));
    },
    { checksItself: true, balanced: false },
  ),
  'the rest thrown away': amidst(
    async ({ line, note, received }) => {
      const { source, sink } = line;
      source.unpipe(sink);
      const place = placeOf(line);
      source.resume();
      await once(source, 'end');
      note('read', source.bytesRead);
      sink.end();
      await settled(received);
      note('received', received.verdict(bytes.subarray(0, place)));
    },
    { checksItself: true, balanced: false },
  ),
  'settings of the sockets': amidst(({ line: { source, sink } }) => {
    for (const socket of [source, sink]) socket.setNoDelay(true).setKeepAlive(true, 1000);
  }),
});
