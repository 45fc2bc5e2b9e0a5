import { once } from 'node:events';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { pipeline as pipelinePromise } from 'node:stream/promises';
import type { Recorder } from '../../harness/recorder.js';
import { BULK, bulk, receive, send } from '../flow.js';
import { close, closed, type Line, type LineOptions, openLine } from '../line.js';
import { type SpliceScenario, spliceScenarios, type Travel } from '../scenario.js';
import { noteSeen, watchBalance, watchFigures } from '../watch.js';

/** What a proxy does with its two sockets. */
type Join = (line: Line, recorder: Recorder) => void;

interface TransferOptions extends LineOptions {
  readonly travel?: Travel;
  readonly size?: number;
  readonly piece?: number;
  /** Milliseconds between two writes of the sender, and between two reads of the receiver. */
  readonly sendPause?: number;
  readonly receivePause?: number;
  /** Events of back-pressure are to be seen, or not to be. */
  readonly seesPressure?: true;
}

/** A stream from the sender to the receiver, whole. */
function transfer(join: Join, options: TransferOptions = {}): SpliceScenario {
  const { travel = 'spliced', size = BULK, piece, sendPause, receivePause, seesPressure, ...lineOptions } = options;
  return {
    travel,
    async run(recorder) {
      const line = await openLine(recorder, lineOptions);
      const { sender, source, sink, receiver } = line;
      watchFigures(recorder, 'source', source);
      watchFigures(recorder, 'sink', sink);
      watchBalance(recorder, source, sink);
      if (seesPressure) {
        noteSeen(recorder, 'source', source, 'pause');
        noteSeen(recorder, 'sink', sink, 'drain');
      }
      const bytes = bulk(size);
      const received = receive(receiver, receivePause === undefined ? {} : { pause: receivePause });
      const end = once(receiver, 'end');
      recorder.within('piping', () => join(line, recorder));
      await send(sender, bytes, { ...(piece && { piece }), ...(sendPause && { pause: sendPause }) });
      await end;
      receiver.end();
      await closed(source, sink);
      recorder.note('received', received.verdict(bytes));
      await close(line);
    },
  };
}

const plainPipe: Join = ({ source, sink }) => void source.pipe(sink);

const there = bulk(BULK, 1);
const back = bulk(BULK, 2);

/**
 * Streams in both directions at the same time, whole. The sender ends when both are through: a socket that must not stay half open ends when
 * its peer does, and then is no destination any more.
 */
function exchange(join: Join, options: LineOptions = {}): SpliceScenario {
  return {
    travel: 'spliced',
    async run(recorder) {
      const line = await openLine(recorder, options);
      const { sender, source, sink, receiver } = line;
      watchFigures(recorder, 'source', source);
      watchFigures(recorder, 'sink', sink);
      const atReceiver = receive(receiver);
      const atSender = receive(sender);
      recorder.within('piping', () => join(line, recorder));
      await Promise.all([
        send(sender, there, { ends: false }),
        send(receiver, back, { ends: false }),
        atReceiver.reaches(there.length),
        atSender.reaches(back.length),
      ]);
      sender.end();
      await once(receiver, 'end');
      receiver.end();
      await closed(source, sink);
      recorder.note('received there', atReceiver.verdict(there));
      recorder.note('received back', atSender.verdict(back));
      await close(line);
    },
  };
}

const bothPipes: Join = ({ source, sink }) => {
  source.pipe(sink);
  sink.pipe(source);
};

function callBack(recorder: Recorder, who: string) {
  return (error?: Error | null): void => recorder.event(who, 'called back', error?.message ?? '');
}

/** Sends less than the receiver sends, so that each direction ends by itself. */
function halfOpen(first: 'sender' | 'receiver'): SpliceScenario {
  return {
    travel: 'spliced',
    async run(recorder) {
      const line = await openLine(recorder, { allowHalfOpen: true });
      const { sender, source, sink, receiver } = line;
      watchFigures(recorder, 'source', source);
      watchFigures(recorder, 'sink', sink);
      recorder.within('piping', () => bothPipes(line, recorder));
      const [one, other] = first === 'sender' ? [sender, receiver] : [receiver, sender];
      const atOther = receive(other);
      const atOne = receive(one);
      const ended = once(other, 'end');
      await send(one, there);
      await ended;
      recorder.note('received by the other', atOther.verdict(there));
      // The other direction goes on alone.
      const endedBack = once(one, 'end');
      await send(other, back);
      await endedBack;
      recorder.note('received by the one', atOne.verdict(back));
      await closed(source, sink);
      await close(line);
    },
  };
}

async function askedAndAnswered(from: Socket, by: Socket, received: () => number, size: number): Promise<void> {
  const had = received();
  from.write(Buffer.alloc(size, 'a'));
  while (received() < had + size) await once(by, 'data');
}

export const scenarios = spliceScenarios({
  'a pipe': transfer(plainPipe),
  'a pipe, over IPv6': transfer(plainPipe, { from: 'tcp6', to: 'tcp6' }),
  'a pipe, from TCP to a Unix socket': transfer(plainPipe, { to: 'unix' }),
  'a pipe, from a Unix socket to TCP': transfer(plainPipe, { from: 'unix' }),
  'a pipe, from a Unix socket to another': transfer(plainPipe, { from: 'unix', to: 'unix' }),
  'a pipe of a socket that may stay half open': transfer(
    (line, recorder) => {
      plainPipe(line, recorder);
      line.source.once('end', () => line.source.end());
      line.sink.once('end', () => recorder.event('sink', 'answered the end')).resume();
    },
    { allowHalfOpen: true },
  ),
  'a pipe to a sink that reads, too': transfer(({ source, sink }) => void source.pipe(sink).resume()),
  'pipes in both directions': exchange(bothPipes),
  'pipes in both directions, as a chain': exchange(({ source, sink }) => void source.pipe(sink).pipe(source)),
  'pipes in both directions, between TCP and a Unix socket': exchange(bothPipes, { to: 'unix' }),
  'pipes in both directions between halves that stay open': exchange(bothPipes, { allowHalfOpen: true }),
  'half-open: the sender ends first': halfOpen('sender'),
  'half-open: the receiver ends first': halfOpen('receiver'),
  'a pipeline': transfer(({ source, sink }, recorder) => void pipeline(source, sink, callBack(recorder, 'pipeline'))),
  'a pipeline by promise': transfer(({ source, sink }, recorder) => {
    pipelinePromise(source, sink).then(
      () => recorder.event('promise', 'resolved'),
      (error: Error) => recorder.event('promise', error.message),
    );
  }),
  'pipelines in both directions': exchange(({ source, sink }, recorder) => {
    pipeline(source, sink, callBack(recorder, 'there'));
    pipeline(sink, source, callBack(recorder, 'back'));
  }),
  'a pipe with end: false, and a last word': transfer(
    ({ source, sink }) => {
      source.pipe(sink, { end: false });
      source.once('end', () => {
        sink.end();
        source.end();
      });
    },
    { allowHalfOpen: true },
  ),
  'a source with a small buffer': transfer(plainPipe, { sourceHighWaterMark: 1000, travel: 'either' }),
  'a source with a large buffer': transfer(plainPipe, { sourceHighWaterMark: 4 << 20, travel: 'either' }),
  'a sink with a small buffer': transfer(plainPipe, { sinkHighWaterMark: 1000, travel: 'either' }),
  'a sink with a large buffer': transfer(plainPipe, { sinkHighWaterMark: 4 << 20, travel: 'either' }),
  'pieces of exactly 64 KiB, one after the other': transfer(plainPipe, { piece: 64 << 10 }),
  'bursts of exactly 64 KiB, with pauses': transfer(plainPipe, {
    piece: 64 << 10,
    size: 2 << 20,
    sendPause: 2,
    travel: 'either',
  }),
  'bursts of a megabyte, with pauses': transfer(plainPipe, { piece: 1 << 20, sendPause: 10, travel: 'either' }),
  'pieces of 100 bytes': transfer(plainPipe, { piece: 100, size: 100_000, travel: 'original' }),
  'one byte': transfer(plainPipe, { size: 1, travel: 'original' }),
  'a slow receiver': transfer(plainPipe, { receivePause: 5, seesPressure: true, travel: 'either' }),
  'a slow receiver behind a Unix socket': transfer(plainPipe, {
    receivePause: 5,
    seesPressure: true,
    to: 'unix',
    travel: 'either',
  }),
  'a source that was written to before': transfer(({ source, sink }) => {
    sink.write('');
    source.pipe(sink);
  }),
  'a source that is paused, then piped': transfer(({ source, sink }) => {
    source.pause();
    setTimeout(() => source.pipe(sink), 30);
  }),

  'the same byte stream back: a source piped to itself': {
    travel: 'either',
    async run(recorder) {
      const line = await openLine(recorder);
      const { sender, source } = line;
      watchFigures(recorder, 'source', source);
      const received = receive(sender);
      const end = once(sender, 'end');
      recorder.within('piping', () => source.pipe(source));
      await send(sender, there);
      await end;
      await closed(source);
      recorder.note('received', received.verdict(there));
      await close(line);
    },
  },

  'two proxies in a row': {
    travel: 'spliced',
    async run(recorder) {
      const first = await openLine(recorder, {}, ' of the first');
      const second = await openLine(recorder, {}, ' of the second');
      // What the first proxy's receiver gets is what the second's sender sends: two lines of our own between them.
      recorder.within('piping', () => {
        bothPipes(first, recorder);
        bothPipes(second, recorder);
        first.receiver.pipe(second.sender).pipe(first.receiver);
      });
      const atReceiver = receive(second.receiver);
      const atSender = receive(first.sender);
      await Promise.all([
        send(first.sender, there, { ends: false }),
        send(second.receiver, back, { ends: false }),
        atReceiver.reaches(there.length),
        atSender.reaches(back.length),
      ]);
      recorder.note('received there', atReceiver.verdict(there));
      recorder.note('received back', atSender.verdict(back));
      await Promise.all([close(first), close(second)]);
    },
  },

  'many pairs at the same time': {
    travel: 'spliced',
    async run(recorder) {
      const lines = await Promise.all(Array.from({ length: 20 }, (_, index) => openLine(recorder, {}, ` ${index}`)));
      const verdicts = await Promise.all(
        lines.map(async (line, index) => {
          const bytes = bulk(BULK / 4, index + 1);
          const received = receive(line.receiver);
          const end = once(line.receiver, 'end');
          bothPipes(line, recorder);
          await send(line.sender, bytes);
          await end;
          line.receiver.end();
          await closed(line.source, line.sink);
          return received.verdict(bytes);
        }),
      );
      recorder.note('received', verdicts);
      await Promise.all(lines.map(close));
    },
  },

  'small questions and answers': {
    travel: 'original',
    async run(recorder) {
      const line = await openLine(recorder);
      const { sender, source, sink, receiver } = line;
      watchFigures(recorder, 'source', source);
      watchFigures(recorder, 'sink', sink);
      receiver.pipe(receiver);
      recorder.within('piping', () => bothPipes(line, recorder));
      const received = receive(sender);
      for (let round = 0; round < 200; round++) await askedAndAnswered(sender, sender, () => received.length, 100);
      sender.end();
      await closed(source, sink);
      recorder.note('received', received.length);
      await close(line);
    },
  },

  'small questions beside a bulk': {
    travel: 'spliced',
    // Stock Node may well be less fair.
    varying: ['the bulk is through'],
    async run(recorder) {
      const small = await openLine(recorder, {}, ' of the questions');
      const large = await openLine(recorder, {}, ' of the bulk');
      bothPipes(small, recorder);
      bothPipes(large, recorder);
      small.receiver.pipe(small.receiver);
      const answers = receive(small.sender);
      const received = receive(large.receiver);
      const bytes = bulk(BULK * 8);
      const sent = send(large.sender, bytes);
      const end = once(large.receiver, 'end');
      await received.reaches(1 << 20);
      for (let round = 0; round < 10; round++) {
        await askedAndAnswered(small.sender, small.sender, () => answers.length, 100);
      }
      // A loop that is fair answers ten questions before the bulk is through.
      recorder.note('the bulk is through', received.length === bytes.length);
      await Promise.all([sent, end]);
      recorder.note('received', received.verdict(bytes));
      await Promise.all([close(small), close(large)]);
    },
  },
});
