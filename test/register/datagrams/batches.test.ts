import { expect } from 'chai';
import { BY_IMPORT, type EndedProcess, type NodeOptions, runApp } from '../../support/processes/node-process.js';
import { hasProgram, skipWithout } from '../../support/processes/program.js';
import { writeApp } from '../../support/processes/scratch-project.js';
import { type SystemCall, traceNode } from '../../support/processes/strace.js';

const ON = { SOCKET_TUNE_PRESET: 'none', SOCKET_TUNE_UDP_GSO: 'on' };

/** Sends a burst from a socket, connected or not, and prints what a second one has received. */
function burstApp({ size = 1200, connected = false } = {}): string {
  return `
import dgram from 'node:dgram';
import { once } from 'node:events';
const receiver = dgram.createSocket({ type: 'udp4', recvBufferSize: 1 << 20 }).bind(0, '127.0.0.1');
await once(receiver, 'listening');
const { port } = receiver.address();
const received = [];
receiver.on('message', (message) => received.push(\`\${message.subarray(0, 2)}:\${message.length}\`));
const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
await once(socket, 'listening');
const place = ${connected} ? [] : [port, '127.0.0.1'];
if (${connected}) { socket.connect(port, '127.0.0.1'); await once(socket, 'connect'); }
let told = 0;
for (let index = 10; index < 42; index++) {
  socket.send(Buffer.alloc(${size}, '.').fill(String(index), 0, 2), ...place, (error, bytes) => { if (error === null && bytes === ${size}) told++; });
}
for (let turn = 0; turn < 500 && (received.length < 32 || told < 32); turn++) await new Promise((resolve) => setTimeout(resolve, 2));
console.log(told, received.join(' '));
socket.close();
receiver.close();`;
}

function expected(size = 1200): string {
  return `32 ${Array.from({ length: 32 }, (_, index) => `${index + 10}:${size}`).join(' ')}\n`;
}

/** An app that sends to a receiver of its parent, a worker thread that counts, and then ends in a way of its own. */
function endingApp(end: string): string {
  return `
import dgram from 'node:dgram';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
const count = new Int32Array(new SharedArrayBuffer(8));
const worker = new Worker(\`
  const { workerData: count } = require('node:worker_threads');
  const socket = require('node:dgram').createSocket('udp4').bind(0, '127.0.0.1', () => {
    count[1] = socket.address().port;
    Atomics.notify(count, 1);
  });
  socket.on('message', () => { Atomics.add(count, 0, 1); Atomics.notify(count, 0); });\`, { eval: true, workerData: count });
while (count[1] === 0) Atomics.wait(count, 1, 0, 100);
const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
await once(socket, 'listening');
socket.connect(count[1], '127.0.0.1');
await once(socket, 'connect');
process.on('exit', () => {
  socket.send('from exit');
  socket.send('from exit');
});
// After ours, which wait on the first send.
const wait = () => process.on('exit', () => {
  for (let turn = 0; Atomics.load(count, 0) < 5 && turn < 100; turn++) Atomics.wait(count, 0, Atomics.load(count, 0), 20);
  console.log(Atomics.load(count, 0));
});
for (const text of ['one', 'two', '3xx']) socket.send(text);
wait();
${end}`;
}

function batchesIn(calls: readonly SystemCall[]): number {
  return calls.filter(({ text }) => /SOL_UDP|IPPROTO_UDP|cmsg_level=0x11/.test(text)).length;
}

describe('an app that sends datagrams under the preload', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  const run = (
    source: string,
    options: NodeOptions & { readonly preload?: readonly string[] } = {},
  ): Promise<EndedProcess> => runApp('mjs', source, { env: ON, ...options });

  it('sends each by itself unless told otherwise', async () => {
    const ended = await run(burstApp(), { env: {} });
    expect(ended).to.include({ code: 0, stdout: expected(), stderr: '' });
    expect(ended.report?.batches).to.equal(undefined);
  });

  for (const connected of [false, true]) {
    it(`sends a burst by one call, ${connected ? '' : 'not '}connected`, async function () {
      if (!hasProgram('strace')) skipWithout(this, 'strace');
      const trace = (env: Record<string, string>) =>
        traceNode(['sendmsg', 'sendmmsg'], [...BY_IMPORT, writeApp('burst.mjs', burstApp({ connected }))], { env });
      const [stock, tuned] = [await trace({}), await trace(ON)];
      expect(stock).to.include({ code: 0, stdout: expected(), stderr: '' });
      expect(stock.calls.length).to.be.at.least(32);
      expect(batchesIn(stock.calls)).to.equal(0);
      expect(tuned).to.include({ code: 0, stdout: expected(), stderr: '' });
      expect(tuned.calls.map(({ result }) => result)).to.deep.equal([32 * 1200]);
      expect(batchesIn(tuned.calls)).to.equal(1);
      expect(tuned.report?.batches).to.deep.equal({ datagrams: 32, sends: 1, refusedSockets: 0 });
    });
  }

  for (const error of ['EIO', 'EINVAL', 'EMSGSIZE']) {
    it(`sends all one by one once the kernel answers ${error}`, async function () {
      if (!hasProgram('strace')) skipWithout(this, 'strace');
      const tuned = await traceNode(['sendmsg'], [...BY_IMPORT, writeApp('burst.mjs', burstApp())], {
        env: ON,
        inject: `sendmsg:error=${error}:when=1`,
      });
      expect(tuned).to.include({ code: 0, stdout: expected(), stderr: '' });
      expect(tuned.calls).to.have.length(33);
      expect(tuned.report?.batches).to.deep.equal({ datagrams: 0, sends: 0, refusedSockets: 1 });
    });
  }

  it('sends by fragments what is larger than the MTU, as in stock Node', async function () {
    if (!hasProgram('unshare') || process.getuid?.() !== 0) skipWithout(this, 'unshare, as root');
    const under = ['unshare', '-n', 'sh', '-c', 'ip link set lo mtu 1280 up && exec "$@"', 'sh'];
    const stock = await run(burstApp({ size: 2000 }), { under, preload: [] });
    const tuned = await run(burstApp({ size: 2000 }), { under });
    expect(stock).to.include({ code: 0, stdout: expected(2000), stderr: '' });
    expect(tuned).to.include({ code: 0, stdout: expected(2000), stderr: '' });
    expect(tuned.report?.batches).to.deep.equal({ datagrams: 0, sends: 0, refusedSockets: 1 });
    const fits = await run(burstApp({ size: 1200 }), { under });
    expect(fits.report?.batches).to.deep.equal({ datagrams: 32, sends: 1, refusedSockets: 0 });
  });

  for (const [how, end] of Object.entries({
    'process.exit()': 'process.exit(3);',
    'an exception': "throw new Error('the end');",
  })) {
    it(`has all sent that it sent before ${how}, and at exit`, async () => {
      const [stock, tuned] = await Promise.all([run(endingApp(end), { preload: [] }), run(endingApp(end))]);
      expect(stock.stdout).to.equal('5\n');
      expect({ code: tuned.code, stdout: tuned.stdout }).to.deep.equal({ code: stock.code, stdout: stock.stdout });
    });
  }

  it('has datagrams of a cluster’s workers sent together too, from a shared socket and from their own', async () => {
    const source = `
import cluster from 'node:cluster';
import dgram from 'node:dgram';
if (cluster.isPrimary) {
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1', () => {
    for (const exclusive of ['', 'yes']) cluster.fork({ TO: socket.address().port, EXCLUSIVE: exclusive });
  });
  let count = 0;
  socket.on('message', () => {
    if (++count < 64) return;
    socket.close();
    console.log(count);
    cluster.disconnect();
  });
} else {
  const socket = dgram.createSocket('udp4').bind({ port: 0, address: '127.0.0.1', exclusive: process.env.EXCLUSIVE !== '' }, () => {
    socket.unref();
    for (let index = 0; index < 32; index++) socket.send('a datagram', process.env.TO, '127.0.0.1');
  });
}`;
    const ended = await run(source);
    expect(ended).to.include({ code: 0, stdout: '64\n', stderr: '' });
  });
});
