import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { expect } from 'chai';
import { content } from '../../support/files/content.js';
import { hasProgram, skipWithout } from '../../support/processes/program.js';
import { effort } from '../effort.js';
import { open, pause, repeat } from '../talk.js';
import { countVerdicts, tally, tallyFigures } from '../tally.js';
import { exactly, judgeRaw, type Verdict } from '../verdict.js';
import { frontOf, type Proxied, type ProxyState, sending, withProxied } from './proxied.js';

const BYTES = content(8 << 20);
const CLIENTS = 8;

/** Several addresses, as the ports of one would run out. */
const ADDRESSES = 200;

/** Longer than the kernel pipe of a thread is kept unused. */
const IDLE_MS = 3000;

async function connected(proxied: Proxied): Promise<Socket> {
  const socket = open(proxied.tcp);
  await once(socket, 'connect');
  return socket;
}

async function rest(socket: Socket): Promise<Verdict> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => socket.destroy());
  socket.write('go');
  await once(socket, 'close');
  return judgeRaw({ bytes: Buffer.concat(chunks), hasEnded: true }, exactly(BYTES));
}

/** The lowest number that no descriptor of a process has. */
function lowestFree(pid: number): number {
  const used = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let number = 0;
  while (used.has(number)) number++;
  return number;
}

describe('a proxy without a descriptor to spare', () => {
  before(function () {
    if (!hasProgram('prlimit')) skipWithout(this, 'prlimit');
  });

  it('goes on without kernel pipes, and has them once it may', async () => {
    const { result, ended } = await withProxied('tuned', sending(BYTES), async (proxied) => {
      const limit = (most: number): void => {
        const { status, stderr } = spawnSync('prlimit', ['--pid', String(proxied.pid), `--nofile=${most}:`]);
        if (status !== 0) throw new Error(String(stderr));
      };
      const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connected(proxied)));
      while ((await proxied.state()).connections < CLIENTS) await pause(10);
      // For the connection that asked for the state to be closed.
      await pause(100);
      limit(lowestFree(proxied.pid) + 1);
      const verdicts = await Promise.all(clients.map(rest));
      limit(1024);
      const later = await rest(await connected(proxied));
      return [...verdicts, later];
    });
    tally('EMFILE at pipe2', countVerdicts(result));
    expect(ended).to.include({ code: 0, stderr: '' });
    expect(result).to.deep.equal(Array.from({ length: CLIENTS + 1 }, () => 'identical'));
    expect(ended.report?.splices.notSpliced).to.have.property('no-kernel-pipe:EMFILE').that.is.above(0);
    expect(ended.report?.splices.pairs).to.be.above(0);
  });
});

/** Asks for the bytes, takes some or none, and leaves: by a reset, or by a normal close. */
function abort(proxied: Proxied, index: number): Promise<void> {
  const socket =
    index % 4 === 0 ? open(frontOf(proxied, 'unix')) : open(proxied.tcp, `127.0.${1 + (index % ADDRESSES)}.1`);
  socket.write('go');
  const isTcp = index % 4 !== 0;
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      if (isTcp && index % 2 === 0) socket.resetAndDestroy();
      else socket.destroy();
    };
    let received = 0;
    const enough = Math.floor(Math.random() * 3_000_000);
    if (index % 7 === 0) setTimeout(leave, Math.random() * 5);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received >= enough) leave();
    });
    socket.on('error', reject);
    socket.once('close', () => resolve());
  });
}

describe('clients of a proxy that go away', () => {
  it('in the middle of a splice leave no descriptor', async () => {
    const times = effort(100_000, 2000);
    const { result, ended } = await withProxied('tuned', sending(BYTES), async (proxied) => {
      await repeat(100, 10, (index) => abort(proxied, index));
      await pause(IDLE_MS);
      const before: ProxyState = await proxied.state();
      await repeat(times, 20, (index) => abort(proxied, index));
      await pause(IDLE_MS);
      const after = await proxied.state();
      return { before, after };
    });
    const { before, after } = result;
    const heap = (after.heapUsed - before.heapUsed) / 1024;
    const external = (after.external - before.external) / 1024;
    tallyFigures(
      'aborts of proxied connections',
      times,
      `${after.fds - before.fds} fds, ${after.kernelPipes - before.kernelPipes} ends of kernel pipes left; heap ${heap.toFixed(0)} KB, external ${external.toFixed(0)} KB more; ${ended.report?.splices.pairs} pairs spliced`,
    );
    expect(ended).to.include({ code: 0, stderr: '' });
    expect(after.fds).to.equal(before.fds);
    expect(external).to.be.below(8000);
    expect(ended.report?.splices.pairs).to.be.above(times / 4);
  });
});
