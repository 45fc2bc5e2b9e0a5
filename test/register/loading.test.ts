import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';
import {
  BY_IMPORT,
  BY_REQUIRE,
  type EndedProcess,
  readReport,
  reportFile,
  runApp,
} from '../support/processes/node-process.js';
import { installPackage, scratchProject, writeApp } from '../support/processes/scratch-project.js';

/** One listener, one connection, and the end. Prints how many listeners of socket-tune `process` has. */
const esModule = `
import { createServer, get } from 'node:http';
const server = createServer((request, response) => response.end('hello'));
server.listen(0, '127.0.0.1', () => {
  get({ port: server.address().port, host: '127.0.0.1', agent: false }, (response) => {
    response.setEncoding('utf8').on('data', (text) => console.log(text, process.listenerCount('exit')));
    response.on('end', () => server.close());
  });
});`;

const commonJs = `
const http = require('http');
const server = http.createServer((request, response) => response.end('hello'));
server.listen(0, '127.0.0.1', () => {
  http.get({ port: server.address().port, host: '127.0.0.1', agent: false }, (response) => {
    response.setEncoding('utf8').on('data', (text) => console.log(text, process.listenerCount('exit')));
    response.on('end', () => server.close());
  });
});`;

/** The app ran to its end, and socket-tune was installed `times` times and has tuned what there was. */
function expectTuned({ report, ...process }: EndedProcess, { times = 1 } = {}): void {
  expect(process).to.deep.equal({ code: 0, signal: null, stdout: `hello ${times}\n`, stderr: '' });
  expect(report?.listeners).to.have.length(1);
  expect(report?.connections).to.equal(1);
  expect(report?.listeners[0]?.outcomes).to.deep.include({
    option: 'keepAliveIdle',
    constant: 'TCP_KEEPIDLE',
    asked: 60,
    kernel: 60,
    verdict: 'applied',
  });
}

describe('loading the preload', () => {
  it('is what tunes an app: without it there is no report', async () => {
    const { report, ...process } = await runApp('mjs', esModule, { preload: [] });
    expect(report).to.equal(undefined);
    expect(process).to.include({ code: 0, stdout: 'hello 0\n', stderr: '' });
  });

  it('serves files whatever clock an app’s tests have put in place before it first listens', async () => {
    const source = `
const fs = require('fs'), http = require('http'), timers = require('timers');
const still = () => ({ unref() {}, ref() {}, hasRef: () => false });
for (const name of ['setImmediate', 'setTimeout']) timers[name] = globalThis[name] = still;
const server = http.createServer((request, response) => fs.createReadStream(__filename).pipe(response));
server.listen(0, '127.0.0.1', () => {
  http.get({ port: server.address().port, host: '127.0.0.1', agent: false }, (response) => {
    let length = 0;
    response.on('data', (data) => { length += data.length; });
    response.on('end', () => { console.log(length === fs.statSync(__filename).size); server.close(); });
  });
});`;
    const { report, ...process } = await runApp('cjs', source, { preload: BY_REQUIRE });
    expect(process).to.deep.equal({ code: 0, signal: null, stdout: 'true\n', stderr: '' });
    expect(report?.files.reroutedStreams).to.equal(1);
  });

  const fileUrl = (): string => pathToFileURL(join(scratchProject(), 'node_modules/socket-tune/dist/register.js')).href;
  const ways: Record<string, () => readonly string[]> = {
    '--import': () => BY_IMPORT,
    '-r': () => BY_REQUIRE,
    '--import with a file URL': () => ['--import', fileUrl()],
    '-r with a path': () => ['-r', fileURLToPath(fileUrl())],
  };
  for (const [way, preload] of Object.entries(ways)) {
    it(`by ${way} tunes an ES module with named imports`, async () => {
      expectTuned(await runApp('mjs', esModule, { preload: preload() }));
    });

    it(`by ${way} tunes a CommonJS app`, async () => {
      expectTuned(await runApp('cjs', commonJs, { preload: preload() }));
    });
  }

  for (const flag of ['--import', '-r']) {
    it(`by ${flag} in NODE_OPTIONS tunes an app`, async () => {
      const env = { NODE_OPTIONS: `${flag} socket-tune/register` };
      expectTuned(await runApp('mjs', esModule, { preload: [], env }));
      expectTuned(await runApp('cjs', commonJs, { preload: [], env }));
    });
  }

  it('tunes code given by --eval', async () => {
    expectTuned(await runApp('cjs', '', { preload: [...BY_IMPORT, '--eval', commonJs, '--'] }));
  });

  it('twice, in both ways, installs once', async () => {
    const env = { NODE_OPTIONS: '-r socket-tune/register' };
    expectTuned(await runApp('mjs', esModule, { preload: [...BY_REQUIRE, ...BY_IMPORT, ...BY_IMPORT], env }));
  });

  it('again by the app itself installs once', async () => {
    expectTuned(await runApp('mjs', `import 'socket-tune/register';\n${esModule}`));
    expectTuned(await runApp('cjs', `require('socket-tune/register');\n${commonJs}`));
  });

  it('only by the app itself tunes it', async () => {
    expectTuned(await runApp('mjs', `import 'socket-tune/register';\n${esModule}`, { preload: [] }));
    expectTuned(await runApp('cjs', `require('socket-tune/register');\n${commonJs}`, { preload: [] }));
  });

  it('by the app when net has long been loaded, and listeners exist, tunes those that follow', async () => {
    const source = `
import { createServer as createEarly } from 'node:net';
await new Promise((resolve) => { const early = createEarly().listen(0, () => early.close(resolve)); });
await import('socket-tune/register');
${esModule}`;
    expectTuned(await runApp('mjs', source, { preload: [] }));
  });

  it('from two copies of the package installs once', async () => {
    const copy = join(scratchProject(), 'other/node_modules/socket-tune');
    installPackage(copy);
    const second = pathToFileURL(join(copy, 'dist/register.js')).href;
    expectTuned(await runApp('mjs', esModule, { preload: [...BY_IMPORT, '--import', second] }));
  });

  it('has the same names for CommonJS, and for an import of what CommonJS resolves', async () => {
    const source = `
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const names = (module) => Object.keys(module).filter((name) => !/^(default|module\\.exports|__esModule)$/.test(name)).sort().join();
const esm = names(await import('socket-tune'));
const { install } = await import(require.resolve('socket-tune'));
console.log(names(require('socket-tune')) === esm, names(await import(require.resolve('socket-tune'))) === esm, typeof install);`;
    const { stdout, stderr } = await runApp('mjs', source, { preload: [] });
    expect({ stdout, stderr }).to.deep.equal({ stdout: 'true true function\n', stderr: '' });
  });

  it('makes a later install() say that it is installed already', async () => {
    const source = `
import { defaultConfig, install } from 'socket-tune';
try { install(defaultConfig()); } catch ({ name, code }) { console.log(name, code); }`;
    const { stdout, stderr } = await runApp('mjs', source);
    expect(stdout).to.equal('SocketTuneError ERR_SOCKET_TUNE_INSTALLED\n');
    expect(stderr).to.equal('');
  });

  it('tunes the listeners of worker threads, each by its own installation', async () => {
    const inWorker = reportFile();
    const server = JSON.stringify(writeApp('served-by-threads.mjs', esModule));
    const source = `
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
const env = { ...process.env, SOCKET_TUNE_REPORT: ${JSON.stringify(inWorker)} };
await once(new Worker(${server}, { env }), 'exit');
await import(${server});`;
    const { report, stdout, stderr, code } = await runApp('mjs', source);
    expect(stdout).to.match(/^hello \d\nhello 1\n$/);
    expect({ stderr, code }).to.deep.equal({ stderr: '', code: 0 });
    for (const each of [report, readReport(inWorker)]) {
      expect(each?.listeners).to.have.length(1);
      expect(each?.listeners[0]?.accepted).to.deep.include({
        option: 'noDelay',
        constant: 'TCP_NODELAY',
        asked: 1,
        kernel: 1,
        verdict: 'inherited',
      });
    }
  });

  it('leaves a worker thread alone that starts without it', async () => {
    const inWorker = reportFile();
    const source = `
import { Worker, isMainThread } from 'node:worker_threads';
if (isMainThread) {
  new Worker(new URL(import.meta.url), { env: { SOCKET_TUNE_REPORT: ${JSON.stringify(inWorker)} }, execArgv: [] });
} else {
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, () => { console.log('listening'); server.close(); });
}`;
    const { stdout, stderr, code } = await runApp('mjs', source);
    expect({ stdout, stderr, code }).to.deep.equal({ stdout: 'listening\n', stderr: '', code: 0 });
    expect(readReport(inWorker)).to.equal(undefined);
  });

  it('reaches child processes by NODE_OPTIONS and by the arguments that fork() passes on', async () => {
    const source = `
const { fork } = require('child_process');
if (process.argv[2] === 'child') { ${commonJs} }
else fork(__filename, ['child']).on('exit', (code) => console.log('the child ended with', code));`;
    const file = reportFile();
    const env = { SOCKET_TUNE_REPORT: file.replace('.json', '-%p.json') };
    for (const options of [{ env }, { preload: [], env: { ...env, NODE_OPTIONS: '-r socket-tune/register' } }]) {
      const { stdout, stderr } = await runApp('cjs', source, options);
      expect({ stdout, stderr }).to.deep.equal({ stdout: 'hello 1\nthe child ended with 0\n', stderr: '' });
    }
  });

  for (const flags of [
    ['--frozen-intrinsics', '--no-warnings'],
    ['--disable-proto=throw'],
    ['--disable-proto=delete'],
    ['--pending-deprecation', '--throw-deprecation'],
    ['--disallow-code-generation-from-strings'],
    ['--stack-trace-limit=0'],
  ]) {
    it(`goes together with ${flags.join(' ')}`, async () => {
      expectTuned(await runApp('mjs', esModule, { preload: [...flags, ...BY_IMPORT] }));
    });
  }

  it('where ES modules cannot be required leaves the app untuned, and is told of once', async () => {
    const preload = ['--no-experimental-require-module', ...BY_IMPORT];
    const { code, stdout, stderr } = await runApp('mjs', esModule, { preload, env: { SOCKET_TUNE_REPORT: '' } });
    expect({ code, stdout }).to.deep.equal({ code: 0, stdout: 'hello 0\n' });
    const lines = stderr.split('\n').filter((line) => line.includes('SocketTuneWarning'));
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include('socket-tune is not active');
  });
});
