import { addAbortListener, once } from 'node:events';
import { pipeline } from 'node:stream';
import { pipeline as pipelinePromise } from 'node:stream/promises';
import type { Recorder } from '../../harness/recorder.js';
import { bulk, MIDDLE, Received, receive, send } from '../flow.js';
import { close, type Line, type LineOptions, openLine } from '../line.js';
import { BROKEN_OFF, type SpliceScenario, spliceScenarios } from '../scenario.js';

const bytes = bulk();

interface Stage {
  readonly line: Line;
  readonly recorder: Recorder;
  readonly received: Received;
}

interface BreakOptions extends LineOptions {
  readonly join?: (stage: Stage) => void;
  /** Emitters whose events, and state, are a matter of luck in stock Node, too. */
  readonly loose?: readonly string[];
  readonly receivePause?: number;
  /** The act has no context: whether what it causes comes at once depends on what the sink has to write still. */
  readonly hasNoContext?: true;
  /** The act says what was received. */
  readonly checksItself?: true;
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A pipe that is broken off in its middle. What the receiver has is the beginning of what was sent, and what the sink says that it has sent. */
function broken(act: (stage: Stage) => unknown, options: BreakOptions = {}): SpliceScenario {
  const {
    join = ({ line }) => void line.source.pipe(line.sink),
    loose = [],
    receivePause = 0,
    hasNoContext,
    checksItself,
    ...lineOptions
  } = options;
  return {
    travel: 'spliced',
    varying: [...BROKEN_OFF, ...loose],
    ignored: loose,
    async run(recorder) {
      const line = await openLine(recorder, lineOptions);
      const { sender, source, sink, receiver } = line;
      const received = receive(receiver, { pause: receivePause });
      const stage = { line, recorder, received };
      recorder.within('piping', () => join(stage));
      const sent = send(sender, bytes);
      await received.reaches(MIDDLE);
      await (hasNoContext ? act(stage) : recorder.within('acting', () => act(stage)));
      // Long enough for whatever comes of it.
      await wait(150);
      const states = [source, sink].map((socket) => [
        socket.destroyed,
        socket.closed,
        // How far a stream had come when its peer went is luck, and so is whether it waited for its sink.
        ...(loose.length > 0 ? [] : [socket.isPaused(), socket.readableFlowing]),
      ]);
      recorder.note('after it', states);
      if (!checksItself) recorder.note('received', received.verdict(bytes.subarray(0, received.length)));
      await close(line);
      await sent;
    },
  };
}

/** The sink goes, and the app takes the rest: it begins where the sink's share ends. */
function restAfter(leave: (line: Line) => void): SpliceScenario {
  return broken(async ({ line, recorder }) => {
    const { source, sink } = line;
    sink.on('error', () => undefined);
    const gone = once(sink, 'close');
    leave(line);
    // When the sink is closed, it has said for the last time how much it was given, and the pipe has let go of it.
    await gone;
    const place = sink.bytesWritten;
    const rest = new Received();
    const end = once(source, 'end');
    source.on('data', (chunk: Buffer) => rest.take(chunk)).resume();
    await end;
    const isRest = rest.bytes().equals(bytes.subarray(place));
    recorder.note('the rest', isRest ? 'begins where the sink’s share ends' : `${rest.length} from ${place}`);
  });
}

const listens = ({ line }: Stage): void => {
  for (const socket of [line.source, line.sink]) socket.on('error', () => undefined);
};

const both = (stage: Stage): void => {
  listens(stage);
  stage.line.source.pipe(stage.line.sink);
  stage.line.sink.pipe(stage.line.source);
};

const plain = (stage: Stage): void => {
  listens(stage);
  stage.line.source.pipe(stage.line.sink);
};

const piped = (stage: Stage): void => {
  const { line, recorder } = stage;
  pipeline(line.source, line.sink, (error) => recorder.event('pipeline', 'called back', error?.code ?? ''));
};

/** What a peer's reset is called depends on who notices: a read, or a write. */
const LUCK = ['source', 'sink'];

export const scenarios = spliceScenarios({
  'source.destroy()': broken(({ line }) => void line.source.destroy()),
  'source.destroy(), and the sink ends': broken(async ({ line, received, recorder }) => {
    line.source.destroy();
    const { bytesWritten } = line.sink;
    line.sink.end();
    await once(line.receiver, 'end');
    recorder.note('received all that the sink was given', received.length === bytesWritten);
  }),
  'source.destroy() with an error': broken(({ line }) => void line.source.destroy(new Error('enough')), {
    join: plain,
  }),
  'sink.destroy()': broken(({ line }) => void line.sink.destroy(), { join: plain }),
  'sink.destroy() with an error': broken(({ line }) => void line.sink.destroy(new Error('enough')), { join: plain }),
  'sink.end()': broken(({ line }) => void line.sink.end(), { join: plain, hasNoContext: true }),
  'sink.end() with a last word': broken(
    async ({ line, received, recorder }) => {
      line.source.unpipe(line.sink);
      const { bytesWritten } = line.sink;
      line.sink.end('goodbye');
      await once(line.receiver, 'end');
      recorder.note(
        'all and the word',
        received.bytes().equals(Buffer.concat([bytes.subarray(0, bytesWritten), Buffer.from('goodbye')])),
      );
    },
    { join: plain, checksItself: true, hasNoContext: true },
  ),
  'sink.destroySoon()': broken(({ line }) => void line.sink.destroySoon(), { join: plain, hasNoContext: true }),
  'both are destroyed': broken(
    ({ line }) => {
      line.source.destroy();
      line.sink.destroy();
    },
    { join: both },
  ),
  'source.resetAndDestroy()': broken(({ line }) => void line.source.resetAndDestroy(), { join: plain }),
  'sink.resetAndDestroy()': broken(({ line }) => void line.sink.resetAndDestroy(), { join: plain }),
  'the rest after sink.destroy()': restAfter(({ sink }) => void sink.destroy()),
  'the rest after sink.resetAndDestroy()': restAfter(({ sink }) => void sink.resetAndDestroy()),
  'the rest after unpipe and sink.destroy()': restAfter(({ source, sink }) => {
    source.unpipe(sink);
    sink.destroy();
  }),
  'source.destroy() in a pipeline': broken(({ line }) => void line.source.destroy(), { join: piped }),
  'sink.destroy() in a pipeline': broken(({ line }) => void line.sink.destroy(), { join: piped }),
  'an AbortSignal of a pipeline': (() => {
    const aborts = new WeakMap<Line, AbortController>();
    return broken(({ line }) => aborts.get(line)?.abort(), {
      join({ line, recorder }) {
        const controller = new AbortController();
        aborts.set(line, controller);
        addAbortListener(controller.signal, () => recorder.event('signal', 'aborted'));
        pipelinePromise(line.source, line.sink, { signal: controller.signal }).catch((error: Error) =>
          recorder.event('pipeline', 'rejected', error.name),
        );
      },
    });
  })(),
  'both are destroyed, of two directions': broken(
    ({ line }) => {
      line.source.destroy();
      line.sink.destroy();
    },
    { join: both },
  ),
  'the sender goes': broken(({ line }) => void line.sender.destroy(), { join: plain, loose: LUCK }),
  'the sender resets': broken(({ line }) => void line.sender.resetAndDestroy(), { join: plain, loose: LUCK }),
  'the sender resets, in two directions': broken(({ line }) => void line.sender.resetAndDestroy(), {
    join: both,
    loose: LUCK,
  }),
  'the receiver goes': broken(({ line }) => void line.receiver.destroy(), { join: plain, loose: LUCK }),
  'the receiver resets': broken(({ line }) => void line.receiver.resetAndDestroy(), { join: plain, loose: LUCK }),
  'the receiver resets, in a pipeline': broken(({ line }) => void line.receiver.resetAndDestroy(), {
    join: piped,
    loose: [...LUCK, 'pipeline'],
  }),
  'the receiver, behind a Unix socket, goes': broken(({ line }) => void line.receiver.destroy(), {
    join: plain,
    to: 'unix',
    loose: LUCK,
  }),
  'the receiver says its end, and goes on reading': broken(
    async ({ line, received }) => {
      line.receiver.end();
      await received.reaches(bytes.length);
    },
    { join: plain, allowHalfOpen: true },
  ),

  'a timeout of the source, which does not come while bytes come': timeouts('source'),
  'a timeout of the sink, which does not come while bytes go': timeouts('sink'),
  'a timeout of a source that is starved': starved('source'),
  'a timeout of a sink that is starved': starved('sink'),
  'a timeout of a sink whose peer does not read': {
    travel: 'either',
    varying: BROKEN_OFF,
    async run(recorder) {
      const line = await openLine(recorder);
      const { sender, source, sink } = line;
      source.pipe(sink);
      sink.setTimeout(400);
      source.setTimeout(400);
      void send(sender, bulk(32 << 20));
      const timedOut = [once(sink, 'timeout'), once(source, 'timeout')];
      await Promise.all(timedOut);
      sink.setTimeout(0);
      source.setTimeout(0);
      await close(line);
    },
  },
});

/** While a stream goes through at a pace, no timeout comes; when it is idle, one does. */
function timeouts(who: 'source' | 'sink'): SpliceScenario {
  return {
    travel: 'spliced',
    async run(recorder) {
      const line = await openLine(recorder);
      const { sender, source, sink, receiver } = line;
      const all = bulk(24 << 20);
      const received = receive(receiver, { pause: 8 });
      source.pipe(sink);
      // Shorter than the transfer, and longer than any pause of a busy machine within it.
      line[who].setTimeout(1200);
      let during = 0;
      line[who].on('timeout', () => {
        if (source.bytesRead < all.length || sink.writableLength > 0) during++;
      });
      const timeout = once(line[who], 'timeout');
      const began = performance.now();
      await send(sender, all, { ends: false, piece: 1 << 20, pause: 40 });
      await received.reaches(all.length);
      recorder.note('lasted for longer than the timeout', performance.now() - began > 1300);
      await timeout;
      recorder.note('timeouts while bytes come', during);
      recorder.note('received', received.verdict(all));
      line[who].setTimeout(0);
      await close(line);
    },
  };
}

/** The sender stops in the middle: the timeout comes, no earlier than it may. */
function starved(who: 'source' | 'sink'): SpliceScenario {
  return {
    travel: 'spliced',
    varying: BROKEN_OFF,
    async run(recorder) {
      const line = await openLine(recorder);
      const { sender, source, sink, receiver } = line;
      const received = receive(receiver);
      source.pipe(sink);
      line[who].setTimeout(500);
      await send(sender, bytes, { ends: false });
      await received.reaches(bytes.length);
      const began = performance.now();
      await once(line[who], 'timeout');
      const passed = performance.now() - began;
      recorder.note('in time', passed > 300 && passed < 1500 ? 'yes' : passed);
      line[who].setTimeout(0);
      recorder.note('received', received.verdict(bytes));
      await close(line);
    },
  };
}
