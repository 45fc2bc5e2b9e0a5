import { AsyncLocalStorage } from 'node:async_hooks';
import { execFileSync } from 'node:child_process';
import fs, {
  closeSync,
  mkdirSync,
  openSync,
  promises,
  rmSync,
  Stats,
  statSync,
  symlinkSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { fsHook } from '../../../src/hooks/fs/index.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import { counters } from '../../../src/report/counters.js';
import { content } from '../../support/files/content.js';
import { useScratch } from '../../support/files/scratch.js';
import { hookContext } from '../../support/hook-context.js';
import { linux } from '../../support/sockets/kernel-value.js';
import { until } from '../../support/until.js';

/** What a call has brought, so that two of them can be compared. */
function described(value: unknown): unknown {
  if (value instanceof Error)
    return { ...Object.getOwnPropertyDescriptors(value), name: value.name, text: String(value) };
  if (value instanceof Stats) return { ...value, kind: value.constructor.name, isFile: value.isFile() };
  return value;
}

/** Arguments of a callback. */
function called(act: (callback: (...args: unknown[]) => void) => void): Promise<unknown[]> {
  return new Promise((resolve) => act((...args) => resolve(args.map(described))));
}

function settled(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(described, (error: unknown) => ['rejected', described(error)]);
}

describe('what the kernel has in memory', () => {
  const scratch = useScratch();
  const bytes = content(10_000);
  let undo: Undo | undefined;
  let file: string;

  function install(): void {
    undo = fsHook.install(hookContext({}, linux()));
  }

  function uninstall(): void {
    undo?.();
    undo = undefined;
  }

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    file = scratch.file('file', bytes);
    scratch.file('empty', '');
    scratch.file('large', content(2 << 20));
    scratch.file('ünïcode ✓', 'x');
    mkdirSync(scratch.path('directory'));
    symlinkSync('file', scratch.path('link'));
    symlinkSync('directory', scratch.path('directory-link'));
    symlinkSync('loop', scratch.path('loop'));
    symlinkSync('nothing', scratch.path('dangling'));
    execFileSync('mkfifo', [scratch.path('fifo')]);
    install();
    // The first call finds out what file system it is.
    await until('the file system is known', async () => {
      await promises.stat(file);
      return (counters.inlineCalls.get('stat') ?? 0) > 0;
    });
    uninstall();
  });

  afterEach(uninstall);

  /** The same by Node alone and with the hook: what comes of both, and which calls were answered inline. */
  async function both(act: () => Promise<unknown>): Promise<{ stock: unknown; tuned: unknown; inline: string[] }> {
    const before = new Map(counters.inlineCalls);
    const results: unknown[] = [];
    // From one line, which is in the stack of an error.
    for (const prepare of [uninstall, install]) {
      prepare();
      await new Promise(setImmediate);
      results.push(await act());
    }
    uninstall();
    const inline = [...counters.inlineCalls].flatMap(([name, calls]) =>
      new Array<string>(calls - (before.get(name) ?? 0)).fill(name),
    );
    return { stock: results[0], tuned: results[1], inline: inline.sort() };
  }

  const paths = [
    'file',
    'empty',
    'directory',
    'directory/',
    'link',
    'directory-link/',
    'directory-link',
    'ünïcode ✓',
    'directory/../file',
    './/file',
  ];
  const missing = ['nothing', 'nothing/', 'nothing/below', 'directory/nothing', 'dangling'];
  const refused = ['file/', 'file/below', 'loop', `${'x'.repeat(300)}`];

  for (const name of [...paths, ...missing, ...refused]) {
    describe(`of the path ${name.slice(0, 30)}`, () => {
      const at = (): string => `${scratch.path('')}/${name}`;
      const isThere = paths.includes(name);
      const calls: Readonly<Record<string, () => Promise<unknown>>> = {
        'fs.stat': () => called((callback) => fs.stat(at(), callback)),
        'fs.lstat': () => called((callback) => fs.lstat(at(), callback)),
        'fs.access': () => called((callback) => fs.access(at(), callback)),
        'fs.access of a right': () => called((callback) => fs.access(at(), fs.constants.R_OK, callback)),
        'fs.access of a right that it has not': () =>
          called((callback) => fs.access(at(), fs.constants.X_OK, callback)),
        'fs.exists': () => called((callback) => fs.exists(at(), callback)),
        'fs.realpath': () => called((callback) => fs.realpath(at(), callback)),
        'fs.realpath.native': () => called((callback) => fs.realpath.native(at(), callback)),
        'fs.readFile': () => called((callback) => fs.readFile(at(), callback)),
        'fs.readFile as text': () => called((callback) => fs.readFile(at(), 'latin1', callback)),
        'promisify(fs.stat)': () => settled(promisify(fs.stat)(at())),
        'promises.stat': () => settled(promises.stat(at())),
        'promises.lstat': () => settled(promises.lstat(at())),
        'promises.access': () => settled(promises.access(at())),
        'promises.realpath': () => settled(promises.realpath(at())),
        'promises.readFile': () => settled(promises.readFile(at())),
      };
      for (const [call, act] of Object.entries(calls)) {
        it(`is told the same by ${call}`, async () => {
          const { stock, tuned } = await both(act);
          expect(tuned).to.deep.equal(stock);
        });
      }

      if (isThere || missing.includes(name)) {
        it('is told without the thread pool', async () => {
          const { inline } = await both(() => called((callback) => fs.stat(at(), callback)));
          expect(inline).to.deep.equal(['stat']);
        });
      }
    });
  }

  it('is told the same of options, and of arguments that we leave to Node', async () => {
    const acts: readonly (() => Promise<unknown>)[] = [
      () => called((callback) => fs.stat(file, { bigint: true }, callback)),
      () => called((callback) => fs.stat(Buffer.from(file), callback)),
      () => called((callback) => fs.stat(new URL(`file://${file}`), callback)),
      () => settled(promises.stat(file, { bigint: true })),
      () => settled(promises.readFile(file, { flag: 'r+' })),
      () => settled(promises.readFile(file, { encoding: 'hex' })),
      () => settled(promises.readFile(scratch.path('large'))),
      () => settled(promises.readFile(file, { signal: AbortSignal.abort() })),
      () => called((callback) => fs.readFile(file, { signal: AbortSignal.abort() }, callback)),
      () => settled(promises.readFile('/proc/self/comm')),
      () => settled(promises.stat('/proc/self/comm').then(({ size }) => size)),
      () => called((callback) => fs.realpath.native(file, 'buffer', callback)),
      () => settled(promises.realpath('/proc/self/cwd')),
      () => settled(promises.readFile(scratch.path('directory'))),
    ];
    for (const act of acts) {
      const { stock, tuned } = await both(act);
      expect(tuned).to.deep.equal(stock);
    }
  });

  it('refuses what Node refuses, by the same exceptions', async () => {
    const acts: readonly (() => unknown)[] = [
      () => fs.stat(1 as never, () => undefined),
      () => fs.stat('a\0b', () => undefined),
      () => fs.stat(file, undefined as never),
      () => fs.read(-1, Buffer.alloc(1), 0, 1, 0, () => undefined),
      () => fs.close('1' as never),
    ];
    for (const act of acts) {
      const thrown = async (): Promise<unknown> => {
        try {
          return act();
        } catch (error) {
          return described(error);
        }
      };
      const { stock, tuned } = await both(thrown);
      expect(Object.keys({ ...(stock as object) })).to.include('code');
      expect(tuned).to.deep.equal(stock);
    }
  });

  it('is read from a descriptor at a position, from where it stands, and beyond its end', async () => {
    const act = async (): Promise<unknown> => {
      const fd = openSync(file, 'r');
      const results: unknown[] = [];
      const read = (count: number, position: number | null): Promise<void> =>
        new Promise((resolve) => {
          const buffer = Buffer.alloc(count + 3, 0xee);
          fs.read(fd, buffer, 2, count, position, (error, bytesRead, same) => {
            results.push(error, bytesRead, same === buffer, buffer.toString('hex'));
            resolve();
          });
        });
      await read(100, 50);
      await read(100, null);
      await read(100, null);
      await read(20_000, null);
      await read(100, null);
      await read(100, 9950);
      await read(100, 20_000);
      results.push(await called((callback) => fs.fstat(fd, callback)));
      results.push(await called((callback) => fs.close(fd, callback)));
      results.push(await called((callback) => fs.close(fd, callback)));
      return results;
    };
    const { stock, tuned, inline } = await both(act);
    expect(tuned).to.deep.equal(stock);
    expect(inline).to.deep.equal(['close', 'fstat', ...new Array<string>(7).fill('read')]);
  });

  it('is read through a FileHandle', async () => {
    const act = async (): Promise<unknown> => {
      const handle = await promises.open(file);
      const first = await handle.read(Buffer.alloc(10), 0, 10, null);
      const rest = await handle.readFile();
      const { size } = await handle.stat();
      const { fd } = handle;
      await handle.close();
      return [
        first.buffer.toString('hex'),
        rest.toString('hex'),
        size,
        fd > 2,
        handle.fd,
        await settled(handle.stat()),
      ];
    };
    const { stock, tuned, inline } = await both(act);
    expect(tuned).to.deep.equal(stock);
    expect(inline).to.include.members(['open', 'read', 'fstat', 'close']);
  });

  it('is left to Node where reading would wait: of a pipe, whose reader waits for its writer', async () => {
    install();
    const fifo = scratch.path('fifo');
    const opened = promises.open(fifo, 'r');
    const writer = await promises.open(fifo, 'w');
    const reader = await opened;
    const read = reader.read(Buffer.alloc(4), 0, 4, null);
    await writer.write('data');
    expect((await read).buffer.toString()).to.equal('data');
    await reader.close();
    await writer.close();
  });

  it('comes in the context of the call, and an exception of its callback goes where it should', async () => {
    const storage = new AsyncLocalStorage<string>();
    const act = async (): Promise<unknown> => {
      const inCallback = await storage.run('callback', () =>
        called((callback) => fs.stat(file, () => callback(storage.getStore()))),
      );
      const inPromise = await storage.run('promise', async () => {
        await promises.stat(file);
        return storage.getStore();
      });
      return [inCallback, inPromise];
    };
    const { stock, tuned } = await both(act);
    expect(stock).to.deep.equal([['callback'], 'promise']);
    expect(tuned).to.deep.equal(stock);
  });

  it('comes after all that was queued meanwhile: microtasks, ticks, and immediates', async () => {
    const act = (): Promise<unknown> =>
      new Promise((resolve) => {
        const log: string[] = [];
        const note = (what: string) => (): void => {
          log.push(what);
          if (log.length === 5) resolve(log);
        };
        setImmediate(() => {
          fs.stat(file, note('stat'));
          setImmediate(note('immediate'));
          process.nextTick(note('tick'));
          void Promise.resolve().then(note('microtask'));
          queueMicrotask(note('queued'));
        });
      });
    const { stock, tuned, inline } = await both(act);
    expect(inline).to.deep.equal(['stat']);
    const expected = ['tick', 'microtask', 'queued', 'immediate', 'stat'];
    // The thread pool may be faster than an immediate that an immediate queues, and nothing else.
    expect(stock).to.have.members(expected);
    expect(tuned).to.deep.equal(expected);
  });

  it('is seen as it is at each call: files that change, vanish and come', async () => {
    install();
    const changing = scratch.file('changing', 'abc');
    expect((await promises.stat(changing)).size).to.equal(3);
    expect(await promises.readFile(changing, 'utf8')).to.equal('abc');
    truncateSync(changing, 1);
    expect((await promises.stat(changing)).size).to.equal(1);
    expect(await promises.readFile(changing, 'utf8')).to.equal('a');
    rmSync(changing);
    expect(await settled(promises.stat(changing))).to.have.nested.property('[1].code.value', 'ENOENT');
    scratch.file('changing', 'new');
    expect(await promises.readFile(changing, 'utf8')).to.equal('new');
  });

  it('is seen as it is where a path was found a moment ago: a FIFO in its place does not hold the loop', async () => {
    install();
    const swapped = scratch.file('swapped', 'abc');
    for (let round = 0; round < 3; round++) expect(await promises.readFile(swapped, 'utf8')).to.equal('abc');
    expect((await promises.stat(swapped)).isFile()).to.equal(true);
    rmSync(swapped);
    execFileSync('mkfifo', [swapped]);
    // Opened for reading, it waits for a writer, which is opened below: so the loop must go on.
    const read = promises.readFile(swapped, 'utf8');
    const opened = promisify(fs.open)(swapped, 'r');
    expect((await promises.stat(swapped)).isFIFO()).to.equal(true);
    const writer = await promises.open(swapped, 'w');
    closeSync(await opened);
    await writer.write('from the writer');
    await writer.close();
    expect(await read).to.equal('from the writer');
  });

  it('is found anew where a relative path leads elsewhere', async () => {
    install();
    const { cwd } = process;
    const directory = process.cwd();
    scratch.file('directory/relative', 'below');
    scratch.file('relative', 'above');
    try {
      process.chdir(scratch.path('directory'));
      expect(await promises.readFile('relative', 'utf8')).to.equal('below');
      const { ino } = await promises.stat('relative');
      process.chdir(scratch.path(''));
      expect(await promises.readFile('relative', 'utf8')).to.equal('above');
      expect((await promises.stat('relative')).ino).not.to.equal(ino);
    } finally {
      process.chdir(directory);
    }
    expect(process.cwd).to.equal(cwd);
  });

  it('is found anew where a directory on the way is another one now', async () => {
    install();
    const [first, second] = [scratch.path('first'), scratch.path('second')];
    for (const name of [first, second]) mkdirSync(name);
    scratch.file('first/file', '1');
    scratch.file('second/file', '22');
    symlinkSync('first', scratch.path('current'));
    const at = scratch.path('current/file');
    for (let round = 0; round < 3; round++) expect((await promises.stat(at)).size).to.equal(1);
    rmSync(scratch.path('current'));
    symlinkSync('second', scratch.path('current'));
    expect((await promises.stat(at)).size).to.equal(2);
    expect(await promises.readFile(at, 'utf8')).to.equal('22');
    rmSync(scratch.path('current'));
    expect(await settled(promises.stat(at))).to.have.nested.property('[1].code.value', 'ENOENT');
  });

  it('goes by the thread pool where one turn of the event loop has had enough', async () => {
    install();
    const before = counters.pooledCalls.get('turn-is-full') ?? 0;
    const found = await Promise.all(Array.from({ length: 500 }, () => promises.stat(file)));
    expect(new Set(found.map(({ ino }) => ino))).to.have.lengthOf(1);
    expect(counters.pooledCalls.get('turn-is-full')).to.be.greaterThan(before);
  });

  it('is told as it is after changes that nobody has waited for', async () => {
    install();
    const quiet = (): undefined => undefined;
    const made = scratch.path('made');
    const changes: Readonly<
      Record<string, readonly [change: () => void, look: () => Promise<unknown>, found: unknown]>
    > = {
      mkdir: [() => fs.mkdir(made, quiet), () => promises.stat(made).then((stats) => stats.isDirectory()), true],
      chmod: [() => fs.chmod(made, 0o711, quiet), () => promises.stat(made).then(({ mode }) => mode & 0o777), 0o711],
      rename: [
        () => fs.rename(made, scratch.path('renamed'), quiet),
        () => promisify(fs.access)(scratch.path('renamed')),
        undefined,
      ],
      'rmdir, by a promise': [
        () => void promises.rmdir(scratch.path('renamed')),
        () => promises.access(scratch.path('renamed')).catch(({ code }) => code),
        'ENOENT',
      ],
    };
    const reasons = counters.pooledCalls;
    for (const [name, [change, look, found]] of Object.entries(changes)) {
      const before = reasons.get('changes-under-way') ?? 0;
      change();
      // What comes of it is as uncertain as in stock Node: both are in the pool now.
      await settled(look());
      expect(reasons.get('changes-under-way'), name).to.be.greaterThan(before);
      await until(name, async () => (await look().catch(() => undefined)) === found);
    }
    // The last change may have been made, and its end not been told yet.
    await until('it is told inline again', async () => {
      const before = counters.inlineCalls.get('stat') ?? 0;
      await promises.stat(file);
      return counters.inlineCalls.get('stat') === before + 1;
    });
  });

  it('is told again without the thread pool once changes have failed', async () => {
    install();
    expect(await called((callback) => fs.mkdir(scratch.path('nothing/below'), callback))).to.have.nested.property(
      '[0].code.value',
      'ENOENT',
    );
    expect(await settled(promises.unlink(scratch.path('nothing')))).to.have.nested.property('[1].code.value', 'ENOENT');
    expect(await settled(promises.writeFile(scratch.path('directory'), ''))).to.have.nested.property(
      '[1].code.value',
      'EISDIR',
    );
    expect(await called((callback) => fs.writeFile(scratch.path('directory'), '', callback))).to.have.nested.property(
      '[0].code.value',
      'EISDIR',
    );
    await promises.writeFile(scratch.path('written'), 'abc');
    await promisify(fs.appendFile)(scratch.path('written'), 'def');
    const before = counters.inlineCalls.get('stat') ?? 0;
    expect((await promises.stat(scratch.path('written'))).size).to.equal(6);
    expect(counters.inlineCalls.get('stat')).to.equal(before + 1);
  });

  it('leaves no descriptor behind', async () => {
    const count = (): number => fs.readdirSync('/proc/self/fd').length;
    install();
    await promises.readFile(file);
    const before = count();
    for (let round = 0; round < 50; round++) {
      await promises.stat(file);
      await settled(promises.stat(scratch.path('nothing')));
      await promises.realpath(file);
      await promises.readFile(file);
      const fd = await promisify(fs.open)(file, 'r');
      await promisify(fs.close)(fd);
    }
    expect(count()).to.equal(before);
  });

  it('is told by Node alone once the hook is undone, whoever has kept a function', async () => {
    install();
    const { stat } = fs;
    uninstall();
    const before = counters.inlineCalls.get('stat');
    await called((callback) => stat(file, callback));
    await promises.stat(file);
    expect(counters.inlineCalls.get('stat')).to.equal(before);
  });

  it('shows in nothing of fs: neither identity, name nor length of a function', () => {
    const look = (): unknown =>
      Object.entries(fs).map(([name, value]) => [name, value, typeof value === 'function' ? value.length : 0]);
    const before = look();
    install();
    expect(look()).to.deep.equal(before);
    expect(statSync(file).size).to.equal(bytes.length);
    closeSync(openSync(join(file), 'r'));
  });
});
