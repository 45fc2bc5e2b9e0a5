import { expect } from 'chai';
import { both, expectSame, inline } from './stock-and-tuned.js';

describe('fs in unusual apps', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  it('brings Node its own promises where the app has put another class in their place', async () => {
    const found = await both(`
      run(async () => {
        const Own = Promise;
        globalThis.Promise = class { constructor(make) { this.own = new Own(make); } then(...args) { return this.own.then(...args); } };
        await fs.promises.stat(file);
        log.push(await fs.promises.stat(nothing).then(() => 'found', (error) => error.code));
        const handle = await fs.promises.open(file);
        log.push((await handle.read(Buffer.alloc(4), 0, 4, 0)).bytesRead);
        await handle.close();
      });
    `);
    expectSame(found);
    expect(inline(found, 'stat')).to.be.greaterThan(0);
  });

  const limits = {
    'is missing': 'delete Error.stackTraceLimit',
    'is a getter': `Object.defineProperty(Error, 'stackTraceLimit', { get: () => 10 })`,
    'cannot be changed': `Object.defineProperty(Error, 'stackTraceLimit', { value: 10, writable: false })`,
    'is no number': `Error.stackTraceLimit = 'many'`,
    'is one': 'Error.stackTraceLimit = 1',
  };
  for (const [title, change] of Object.entries(limits)) {
    it(`says that a file is missing where the limit of stacks ${title}`, async () => {
      expectSame(
        await both(`
          run(async () => {
            ${change};
            log.push(await callback((done) => fs.stat(nothing, done)), 'stackTraceLimit' in Error);
            log.push(await fs.promises.stat(nothing).catch((error) => error.code));
          });
        `),
      );
    });
  }

  it('asks nothing of an Error.captureStackTrace that the app has replaced', async () => {
    expectSame(
      await both(`
        run(() => {
          Error.captureStackTrace = () => log.push('seen');
          try { fs.openSync(nothing); } catch (error) { log.push(error.code); }
        });
      `),
    );
  });

  it('leaves a worker thread without warnings of descriptors that Node has not opened, or has opened twice', async () => {
    const found = await both(`
      const { Worker, isMainThread } = require('worker_threads');
      if (isMainThread) new Worker(file);
      else run(async () => {
        const fill = () => Array.from({ length: 80 }, () => fs.promises.stat(file));
        const handles = await Promise.all(Array.from({ length: 80 }, () => fs.promises.open(file)));
        await Promise.all(handles.map((handle) => handle.close()));
        for (let round = 0; round < 3; round++) {
          const handle = await fs.promises.open(file);
          // The turn is full, so that the thread pool closes it.
          const filled = Promise.all(fill());
          await handle.close();
          await filled;
          const fd = await new Promise((resolve, reject) => fs.open(file, (error, fd) => error ? reject(error) : resolve(fd)));
          await callback((done) => fs.close(fd, done));
        }
        log.push('done');
      });
    `);
    expectSame(found);
    expect(found.tuned.stderr).to.equal('');
  });

  it('closes no descriptor before the thread pool has read from it', async () => {
    const found = await both(`
      run(async () => {
        for (let round = 0; round < 100; round++) {
          const fd = fs.openSync(file);
          // Memory that may be shared is read by the thread pool.
          const read = callback((done) => fs.read(fd, new Uint8Array(4), 0, 4, 0, done));
          const parts = callback((done) => fs.readv(fd, [Buffer.alloc(2)], 0, done));
          const closed = callback((done) => fs.close(fd, done));
          const [[error, , bytes], [partsError]] = await Promise.all([read, parts, closed]);
          if (error === undefined && bytes === 4 && partsError === undefined) log.push(round);
        }
        console.log(log.length);
        log.length = 0;
      });
    `);
    // The thread pool itself may close it too early, which is rare.
    const right = Number.parseInt(found.stock.stdout, 10);
    expect(Number.parseInt(found.tuned.stdout, 10)).to.be.greaterThan(right * 0.7);
    expect(found.tuned.report?.files.pooledCalls['used-by-pool']).to.be.greaterThan(0);
  });

  it('answers nothing where the thread pool has one thread, whose calls end in order', async () => {
    const app = `
      run(async () => {
        const directory = file + '.directory';
        for (let round = 0; round < 50; round++) {
          const ended = Array.from({ length: 4 });
          await Promise.all([
            callback((done) => fs.mkdir(directory, done)),
            callback((done) => fs.stat(directory, (error) => { log.push(error?.code); done(); })),
            callback((done) => fs.rmdir(directory, done)),
            callback((done) => fs.access(directory, (error) => { log.push(error?.code); done(); })),
          ]);
        }
      });
    `;
    const found = await both(app, { env: { UV_THREADPOOL_SIZE: '1' } });
    expectSame(found);
    expect(inline(found, 'stat')).to.equal(0);
  });

  it('treats half a character of a path as Node does, and rights that do not exist', async () => {
    expectSame(
      await both(`
        run(async () => {
          const odd = require('path').join(__dirname, 'a\\udc00b');
          for (const act of [fs.stat, fs.lstat, fs.access]) log.push(await callback((done) => act(odd, done)));
          for (const mode of [8, -1, 1.5])
            log.push(await fs.promises.access(nothing, mode).catch(({ code, message }) => [code, message]));
        });
      `),
    );
  });

  it('finds a file beyond a directory by the rights that access(2) goes by: without capabilities', async function () {
    if (process.getuid?.() !== 0) this.skip();
    const found = await both(`
      const { dirname, join } = require('path');
      run(async () => {
        const closed = join(fs.mkdtempSync('/tmp/closed-'), 'below');
        fs.mkdirSync(closed);
        fs.writeFileSync(join(closed, 'file'), 'x');
        fs.chmodSync(dirname(closed), 0o755);
        fs.chmodSync(closed, 0o700);
        const check = 'require("fs").access(' + JSON.stringify(join(closed, 'file')) + ', (error) => console.log(error?.code))';
        const wait = 'require("net").createServer().listen(0, function () { this.close(); const t = "/tmp";' +
          'require("fs").stat(t, () => setTimeout(() => {' + check + '}, 50)); })';
        const rights = ['--inh-caps', '+dac_override', '--ambient-caps', '+dac_override'];
        const args = ['--reuid', '65534', '--regid', '65534', '--clear-groups', ...rights, process.execPath, ...process.execArgv, '-e', wait];
        log.push(require('child_process').execFileSync('setpriv', args, { encoding: 'utf8' }));
        fs.rmSync(dirname(closed), { recursive: true });
      });
    `);
    expectSame(found);
    expect(found.stock.stdout).to.include('EACCES');
  });

  it('finds the real path where /proc is not mounted', async function () {
    if (process.getuid?.() !== 0) this.skip();
    const found = await both(
      `
      run(async () => {
        require('child_process').execFileSync('mount', ['-t', 'tmpfs', 'none', '/proc']);
        log.push(fs.existsSync('/proc/self'));
        log.push(await callback((done) => fs.realpath.native(file, 'utf8', done)));
        log.push(await fs.promises.realpath(file, 'utf8').catch(({ message }) => message));
      });
    `,
      { under: ['unshare', '-m'] },
    );
    expectSame(found);
  });
});
