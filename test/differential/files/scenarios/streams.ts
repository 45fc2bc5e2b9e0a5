import { execFileSync } from 'node:child_process';
import fs, {
  closeSync,
  createReadStream,
  fstatSync,
  openSync,
  ReadStream,
  readSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { content, digest } from '../../../support/files/content.js';
import { describeError, type Recorder } from '../../harness/recorder.js';
import { exchange, listening, openClient, portOf, talk, untilBlocked } from '../exchange.js';
import { samplePath } from '../samples.js';
import { fileScenarios } from '../scenario.js';
import { countBytes, watchStream } from '../watch.js';

/** Answer one request with a stream; what went wrong with it goes into the body. */
function answerWith(recorder: Recorder, make: (response: ServerResponse) => ReadStream): Promise<void> {
  return exchange(recorder, ({ response }) => {
    const stream = watchStream(recorder, 'stream', make(response));
    stream.on('error', (error) => response.end(`${describeError(error)}\n`));
    stream.pipe(response);
  });
}

/** Records whether a descriptor is still open, and the bytes at its position. */
function noteDescriptor(recorder: Recorder, fd: number): void {
  const rest = Buffer.alloc(16);
  const bytes = readSync(fd, rest);
  recorder.note('descriptor', { size: fstatSync(fd).size, next: rest.toString('hex', 0, bytes) });
  closeSync(fd);
}

export const scenarios = fileScenarios({
  'a stream of a descriptor with a start': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      answerWith(recorder, () => createReadStream('', { fd: openSync(samplePath('1m'), 'r'), start: 1000 })),
  },

  'a stream of a descriptor with a start that leaves it open': {
    travel: { rerouted: 1 },
    run: async (recorder) => {
      const fd = openSync(samplePath('1m'), 'r');
      await answerWith(recorder, () => createReadStream('', { fd, start: 1000, autoClose: false }));
      noteDescriptor(recorder, fd);
    },
  },

  'a stream of a descriptor without a start, which reads on from where it stands': {
    travel: { original: { 'descriptor-without-start': 1 } },
    run: async (recorder) => {
      const fd = openSync(samplePath('1m'), 'r');
      readSync(fd, Buffer.alloc(100));
      await answerWith(recorder, () => createReadStream('', { fd, end: 500_000, autoClose: false }));
      noteDescriptor(recorder, fd);
    },
  },

  'a stream of a path that leaves its descriptor open, for others to read on': {
    travel: { original: { 'descriptor-without-start': 1 } },
    run: async (recorder) => {
      let fd = -1;
      await answerWith(recorder, () =>
        createReadStream(samplePath('1m'), { autoClose: false }).on('open', (opened) => {
          fd = opened;
        }),
      );
      noteDescriptor(recorder, fd);
    },
  },

  'a stream of a FileHandle': {
    travel: { original: { 'file-handle': 1 } },
    run: async (recorder) => {
      const handle = await open(samplePath('1m'));
      await answerWith(recorder, () => handle.createReadStream({ start: 10 }));
      recorder.note('descriptor of the closed handle', handle.fd);
    },
  },

  'a stream given a FileHandle that is left open': {
    travel: { original: { 'file-handle': 1 } },
    run: async (recorder) => {
      const handle = await open(samplePath('100k'));
      await answerWith(recorder, () => createReadStream('', { fd: handle, autoClose: false }));
      recorder.note('position', (await handle.read(Buffer.alloc(1), 0, 1)).bytesRead);
      await handle.close();
    },
  },

  'a stream with an encoding': {
    travel: { original: { 'encoding-or-object-mode': 1 } },
    run: (recorder) => answerWith(recorder, () => createReadStream(samplePath('100k'), 'latin1')),
  },

  'a stream that is given an encoding later': {
    travel: { original: { 'encoding-or-object-mode': 1 } },
    run: (recorder) =>
      answerWith(recorder, () => createReadStream(samplePath('100k')).setEncoding('base64') as ReadStream),
  },

  'a stream with a small highWaterMark': {
    travel: { rerouted: 1 },
    run: (recorder) => answerWith(recorder, () => createReadStream(samplePath('100k'), { highWaterMark: 1000 })),
  },

  'a stream with a large highWaterMark': {
    travel: { rerouted: 1 },
    run: (recorder) => answerWith(recorder, () => createReadStream(samplePath('3m'), { highWaterMark: 4 << 20 })),
  },

  'a stream that emits no close': {
    travel: { rerouted: 1 },
    run: (recorder) => answerWith(recorder, () => createReadStream(samplePath('100k'), { emitClose: false })),
  },

  'a stream of a file URL': {
    travel: { rerouted: 1 },
    run: (recorder) => answerWith(recorder, () => createReadStream(new URL(`file://${samplePath('100k')}`))),
  },

  'a stream made with new': {
    travel: { rerouted: 1 },
    run: (recorder) => answerWith(recorder, () => Reflect.construct(ReadStream, [samplePath('100k'), {}])),
  },

  'a stream opened for reading and writing': {
    travel: { original: { flags: 1 } },
    run: (recorder) => answerWith(recorder, () => createReadStream(samplePath('100k'), { flags: 'r+' })),
  },

  'a file that does not exist': {
    travel: { original: {} },
    run: (recorder) => answerWith(recorder, () => createReadStream(join(samplePath('1'), 'none'))),
  },

  'a file that nobody may create': {
    travel: { original: {} },
    run: (recorder) => answerWith(recorder, () => createReadStream(samplePath('100k'), { flags: 'wx+' })),
  },

  'a directory': {
    travel: { original: { 'not-a-regular-file': 1 } },
    run: (recorder) => answerWith(recorder, () => createReadStream(join(samplePath('1'), '..'))),
  },

  'a descriptor that is not open': {
    travel: { original: { 'not-a-regular-file': 1 } },
    run: (recorder) => answerWith(recorder, () => createReadStream('', { fd: 9999, start: 0 })),
  },

  'a file that is deleted while it is open': {
    travel: { rerouted: 1 },
    run: (recorder) => {
      const copy = join(process.cwd(), `copy-${process.pid}`);
      fs.copyFileSync(samplePath('1m'), copy);
      return answerWith(recorder, () => createReadStream(copy).on('open', () => unlinkSync(copy)));
    },
  },

  'two streams of one descriptor at once': {
    travel: { rerouted: 2 },
    run: async (recorder) => {
      const fd = openSync(samplePath('1m'), 'r');
      const server = await listening(
        createServer((socket) => {
          const options = { fd, start: 1000, autoClose: false };
          countBytes(recorder, createReadStream('', options)).pipe(socket);
        }),
      );
      const clients = [1, 2].map((number) => talk(recorder, portOf(server), '', `client-${number}`));
      recorder.note(
        'received',
        (await Promise.all(clients)).map((bytes) => digest(bytes)),
      );
      server.close();
      noteDescriptor(recorder, fd);
    },
  },

  'a part of a file around 4 GiB': {
    travel: { rerouted: 1 },
    run: async (recorder) => {
      const file = join(process.cwd(), `sparse-${process.pid}`);
      const middle = 2 ** 32;
      const fd = openSync(file, 'w');
      fs.ftruncateSync(fd, middle + (1 << 20));
      fs.writeSync(fd, content(600_000), 0, 600_000, middle - 300_000);
      closeSync(fd);
      await answerWith(recorder, () => createReadStream(file, { start: middle - 299_000, end: middle + 298_999 }));
      unlinkSync(file);
    },
  },

  'a file that grows while it is sent': {
    travel: { mixed: {} },
    run: async (recorder) => {
      const file = join(process.cwd(), `growing-${process.pid}`);
      fs.copyFileSync(samplePath('20m'), file);
      let stream: ReadStream | undefined;
      const server = await listening(
        createServer(async (socket) => {
          stream = watchStream(recorder, 'stream', createReadStream(file));
          stream.pipe(socket);
          await untilBlocked(socket);
          fs.appendFileSync(file, content(100_000));
          client.read();
        }),
      );
      const client = openClient(recorder, portOf(server), '');
      recorder.note('received', digest(await client.all));
      server.close();
      unlinkSync(file);
    },
  },

  'a file that shrinks while it is sent over a plain socket': {
    travel: { mixed: {} },
    run: async (recorder) => {
      const file = join(process.cwd(), `shrinking-${process.pid}`);
      fs.copyFileSync(samplePath('20m'), file);
      const server = await listening(
        createServer(async (socket) => {
          watchStream(recorder, 'stream', createReadStream(file)).pipe(socket);
          await untilBlocked(socket);
          fs.truncateSync(file, 15_000_000);
          client.read();
        }),
      );
      const client = openClient(recorder, portOf(server), '');
      recorder.note('received', digest(await client.all));
      server.close();
      unlinkSync(file);
    },
  },

  'a stream of a subclass that reads something else': {
    travel: { original: { 'patched-stream': 1 } },
    run: (recorder) => {
      class Inverting extends ReadStream {
        override push(chunk: Buffer | null): boolean {
          return super.push(chunk === null ? null : Buffer.from(chunk.map((byte) => byte ^ 0xff)));
        }
      }
      // Its types give the class no public constructor.
      return answerWith(recorder, () => Reflect.construct(Inverting, [samplePath('100k')]));
    },
  },

  'a stream whose own push looks at the data': {
    travel: { original: { 'patched-stream': 1 } },
    run: (recorder) =>
      answerWith(recorder, () => {
        const stream = createReadStream(samplePath('100k'));
        const { push } = stream;
        stream.push = (chunk: Buffer | null) => push.call(stream, chunk === null ? null : chunk.reverse());
        return stream;
      }),
  },

  'a stream with an fs of its own': {
    travel: { original: { 'patched-fs': 1 } },
    run: (recorder) => {
      const read = (...args: unknown[]): void => {
        recorder.event('own fs', 'read');
        Reflect.apply(fs.read, fs, args);
      };
      const own = { ...fs, read };
      return answerWith(recorder, () => createReadStream(samplePath('10k'), { fs: own } as object));
    },
  },

  'an fs.read that somebody has replaced': {
    travel: { original: { 'patched-fs': 1 } },
    run: async (recorder) => {
      const { read } = fs;
      const replaced = (...args: unknown[]): void => {
        recorder.event('fs.read', 'is called');
        Reflect.apply(read, fs, args);
      };
      Reflect.set(fs, 'read', replaced);
      await answerWith(recorder, () => createReadStream(samplePath('10k')));
    },
  },

  'a stream from which something was read before': {
    travel: { mixed: {} },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('1m')));
        stream.once('readable', () => {
          const begin = stream.read(10) as Buffer;
          recorder.note('begin', begin.toString('hex'));
          stream.pipe(response);
        });
      }),
  },

  'a file of /proc': {
    travel: { original: { 'empty-file': 1 } },
    run: (recorder) => answerWith(recorder, () => createReadStream('/proc/cpuinfo')),
  },

  'the status of the process itself': {
    travel: { original: { 'empty-file': 1 } },
    varying: ['received', 'bytesRead', 'bytesWritten'],
    run: (recorder) => answerWith(recorder, () => createReadStream('/proc/self/status')),
  },

  'a file of /sys, which claims to be longer than it is': {
    travel: { original: { 'unknown-filesystem': 1 } },
    run: (recorder) => {
      recorder.note('claimed size', statSync('/sys/devices/system/cpu/online').size);
      return answerWith(recorder, () => createReadStream('/sys/devices/system/cpu/online'));
    },
  },

  'a part of a device': {
    travel: { original: { 'not-a-regular-file': 1 } },
    run: (recorder) => answerWith(recorder, () => createReadStream('/dev/zero', { end: 99_999 })),
  },

  'a FIFO': {
    travel: { original: { 'not-a-regular-file': 1 } },
    run: async (recorder) => {
      const fifo = join(process.cwd(), `fifo-${process.pid}`);
      execFileSync('mkfifo', [fifo]);
      await Promise.all([
        answerWith(recorder, () => createReadStream(fifo)),
        fs.promises.writeFile(fifo, 'through the FIFO\n'.repeat(10_000)),
      ]);
      unlinkSync(fifo);
    },
  },
});
