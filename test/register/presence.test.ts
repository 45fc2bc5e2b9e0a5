import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { sampleDirectory } from '../support/files/sample-files.js';
import { isRerouted } from '../support/files/travel.js';
import { fileApp } from '../support/processes/file-app.js';
import {
  BY_IMPORT,
  BY_REQUIRE,
  type EndedProcess,
  type NodeOptions,
  runApp,
  runNode,
} from '../support/processes/node-process.js';
import { repository, scratchProject, writeApp } from '../support/processes/scratch-project.js';

/** Without a report, as the app could see its file. */
const QUIET = { SOCKET_TUNE_REPORT: '' };

/** Runs the same arguments stock, and with the preload loaded in each way. */
async function everyWay(args: readonly string[], options: NodeOptions = {}): Promise<EndedProcess[]> {
  const quiet = { ...options, env: { ...QUIET, ...options.env } };
  return Promise.all([[], BY_IMPORT, BY_REQUIRE].map((preload) => runNode([...preload, ...args], quiet)));
}

/** Error messages name the file and line of the app, and nothing of us. */
function expectAllTheSame([stock, ...tuned]: EndedProcess[]): void {
  for (const process of tuned) {
    expect(process).to.deep.equal(stock);
  }
}

const usesKoffi = 'process.report.getReport().sharedObjects.some((path) => /koffi/.test(path))';

describe('a process under the preload that has no use for it', () => {
  it('does nothing more for an empty program', async () => {
    const processes = await everyWay(['-e', '0']);
    expectAllTheSame(processes);
    expect(processes[0]).to.include({ code: 0, stdout: '', stderr: '' });
  });

  it('ends with the exit code that the app sets', async () => {
    for (const code of ['process.exit(3)', 'process.exitCode = 4', 'process.exit()']) {
      expectAllTheSame(await everyWay(['-e', code]));
    }
  });

  it('dies of an exception as ever', async () => {
    const processes = await everyWay(['-e', 'throw new Error("of the app")']);
    // Any --import shows in the stack, as a frame of Node's own.
    const withoutFrames = processes.map((each) => ({
      ...each,
      stderr: each.stderr.replace(/^ +at .*node:internal.*\n/gm, ''),
    }));
    expectAllTheSame(withoutFrames);
    expect(withoutFrames[0]).to.include({ code: 1 });
    expect(withoutFrames[0]?.stderr).to.include('Error: of the app\n    at [eval]:1:7\n');
  });

  it('dies of an unhandled rejection as ever', async () => {
    const processes = await everyWay(['-e', 'Promise.reject(new Error("of the app"))']);
    expect(processes.map(({ code, stdout }) => ({ code, stdout }))).to.deep.equal(
      processes.map(() => ({ code: 1, stdout: '' })),
    );
    for (const { stderr } of processes) expect(stderr).to.include('Error: of the app').and.not.include('socket-tune');
  });

  it('dies of a signal as ever', async () => {
    const processes = await everyWay(['-e', 'process.kill(process.pid, "SIGTERM"); setTimeout(() => 0, 1000)']);
    expectAllTheSame(processes);
    expect(processes[0]).to.include({ signal: 'SIGTERM' });
  });

  it('reads, copies and prints files as ever', async () => {
    const sample = JSON.stringify(join(sampleDirectory(), '100k'));
    const program = `
const { createReadStream, createWriteStream } = require('fs');
createReadStream(${sample}, 'latin1').on('data', (text) => console.log(text.length));
createReadStream(${sample}, { end: 2000 }).pipe(process.stdout);
createReadStream(${sample}).pipe(require('zlib').createGzip()).on('data', () => 0).on('end', () => console.log('end'));`;
    const processes = await everyWay(['-e', program]);
    const digits = processes.map(({ stdout, code, stderr }) => ({ length: stdout.length, code, stderr }));
    for (const each of digits) expect(each).to.deep.equal(digits[0]);
  });

  it('lets the app see the same arguments and environment', async () => {
    const program =
      'console.log(process.argv.length, Object.keys(process.env).filter((n) => /TUNE/.test(n)), require.main);';
    expectAllTheSame(await everyWay(['-e', program, '--', 'argument']));
  });

  it('has not loaded net, http or koffi', async () => {
    const program = `
const loaded = process.moduleLoadList.filter((name) => /^NativeModule (?:net|http|tls)$/.test(name));
console.log(JSON.stringify({ loaded, koffi: ${usesKoffi} }));`;
    const [stock, ...tuned] = await everyWay(['-e', program]);
    expect(JSON.parse(stock?.stdout ?? '')).to.deep.equal({ loaded: [], koffi: false });
    for (const { stdout } of tuned) expect(stdout).to.equal(stock?.stdout);
  });
});

describe('a process whose package.json names compression', () => {
  /** Prints which modules of ours are loaded, and when, into `loaded`. */
  const SPY = `
const Module = require('module');
const { _load } = Module;
globalThis.loaded = [];
Module._load = function (request, ...rest) {
  if (/^\\.\\/(?:runtime|config)/.test(request)) loaded.push(request);
  return _load.call(this, request, ...rest);
};`;

  function project(): string {
    const directory = join(scratchProject(), 'compressing');
    mkdirSync(join(directory, 'node_modules'), { recursive: true });
    writeFileSync(join(directory, 'package.json'), '{ "dependencies": { "compression": "^1.8.0" } }');
    const link = join(directory, 'node_modules/compression');
    if (!existsSync(link)) symlinkSync(join(repository, 'node_modules/compression'), link);
    return directory;
  }

  function run(source: string): Promise<EndedProcess> {
    const app = join(project(), 'app.cjs');
    writeFileSync(app, source);
    const flags = ['-r', `./${writeApp('spy.cjs', SPY).split('/').at(-1)}`, ...BY_REQUIRE];
    return runNode([...flags, app], { env: QUIET });
  }

  it('has no more of us at its start than any other, and the runtime once it loads that', async () => {
    const { stdout, stderr } = await run(
      `console.log(loaded.join()); require('compression'); console.log(loaded.join());`,
    );
    expect({ stdout, stderr }).to.deep.equal({ stdout: '\n./runtime.js\n', stderr: '' });
  });

  it('has its files rerouted behind that', async () => {
    const { stdout, report } = await runNode([...BY_REQUIRE, appBehindCompression()]);
    expect(stdout).to.equal('100000\n');
    expect(report?.files.reroutedStreams).to.equal(1);
  });

  function appBehindCompression(): string {
    const app = join(project(), 'serve.cjs');
    const file = JSON.stringify(join(sampleDirectory(), '100k'));
    writeFileSync(
      app,
      `
const http = require('http');
const compress = require('compression')({ filter: () => false });
const server = http.createServer((request, response) =>
  compress(request, response, () => require('fs').createReadStream(${file}).pipe(response)));
server.listen(0, '127.0.0.1', () => {
  http.get({ port: server.address().port, host: '127.0.0.1', agent: false }, (response) => {
    let bytes = 0;
    response.on('data', (chunk) => { bytes += chunk.length; });
    response.on('end', () => { console.log(bytes); server.close(); });
  });
});`,
    );
    return app;
  }
});

describe('a process under the preload', () => {
  it('loads koffi with its first listener, and not before', async () => {
    const source = `
import { createServer, connect } from 'node:net';
import { createReadStream } from 'node:fs';
const uses = () => ${usesKoffi};
createReadStream(${JSON.stringify(join(sampleDirectory(), '100k'))}).resume().on('close', () => {
  const server = createServer();
  const before = uses();
  server.listen(0, '127.0.0.1', () => { console.log(before, uses()); server.close(); });
});`;
    const { stdout, stderr } = await runApp('mjs', source, { env: QUIET });
    expect({ stdout, stderr }).to.deep.equal({ stdout: 'false true\n', stderr: '' });
  });

  it('loads koffi for a client only when it sends a file', async () => {
    const served = `
import { createServer } from 'node:net';
const server = createServer((socket) => socket.resume().on('end', () => socket.end()));
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.on('disconnect', () => server.close());`;
    const source = `
import { fork } from 'node:child_process';
import { connect } from 'node:net';
import { createReadStream, writeFileSync } from 'node:fs';
writeFileSync('served.mjs', ${JSON.stringify(served)});
const server = fork('served.mjs', { execArgv: [] });
server.on('message', (port) => {
  const client = connect(port, '127.0.0.1', async () => {
    await new Promise((resolve) => client.write('text', resolve));
    const before = ${usesKoffi};
    createReadStream(${JSON.stringify(join(sampleDirectory(), '100k'))}).pipe(client);
    client.resume().on('close', () => { console.log(before, ${usesKoffi}); server.disconnect(); });
  });
});`;
    const { stdout, stderr, report } = await runApp('mjs', source);
    expect({ stdout, stderr }).to.deep.equal({ stdout: 'false true\n', stderr: '' });
    expect(isRerouted(report?.files)).to.equal(true);
  });

  for (const preset of ['default', 'lowlatency', 'highthroughput', 'none']) {
    it(`prints nothing under the preset ${preset}, whatever is served`, async () => {
      const { stdout, stderr, code } = await runApp('mjs', fileApp().replace('console.log(bytes);', ''), {
        env: { ...QUIET, SOCKET_TUNE_PRESET: preset },
      });
      expect({ stdout, stderr, code }).to.deep.equal({ stdout: '', stderr: '', code: 0 });
    });
  }

  it('ends when its server is closed, and with process.exit() in mid-transfer', async () => {
    const sample = JSON.stringify(join(sampleDirectory(), '20m'));
    const source = `
import { createServer, connect } from 'node:net';
import { createReadStream } from 'node:fs';
const server = createServer((socket) => {
  createReadStream(${sample}).pipe(socket);
  // The client reads no more than the first of it.
  setInterval(() => { if (client.isPaused() && socket.bytesWritten > 1_000_000) process.exit(5); }, 5);
});
let client;
server.listen(0, '127.0.0.1', () => {
  client = connect(server.address().port, '127.0.0.1');
  client.once('data', () => client.pause());
});`;
    const { stdout, stderr, code, report } = await runApp('mjs', source);
    expect({ stdout, stderr, code }).to.deep.equal({ stdout: '', stderr: '', code: 5 });
    expect(isRerouted(report?.files)).to.equal(true);
  });

  it('outlives a worker thread that is terminated in mid-transfer', async () => {
    const sample = JSON.stringify(join(sampleDirectory(), '20m'));
    const source = `
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { createServer, connect } from 'node:net';
import { createReadStream } from 'node:fs';
if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  worker.once('message', (port) => {
    const client = connect(port, '127.0.0.1').on('error', () => 0);
    client.once('data', () => { client.pause(); worker.postMessage('the client has paused'); });
    worker.once('message', () => worker.terminate());
    worker.on('exit', () => { console.log('terminated'); client.destroy(); });
  });
} else {
  const server = createServer((socket) => {
    createReadStream(${sample}).pipe(socket);
    parentPort.once('message', () => setInterval(() => {
      if (socket.bytesWritten > 1_000_000) parentPort.postMessage('in mid-transfer');
    }, 5));
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
}`;
    const { stdout, stderr, code } = await runApp('mjs', source);
    expect({ stdout, stderr, code }).to.deep.equal({ stdout: 'terminated\n', stderr: '', code: 0 });
  });
});
