import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { BY_IMPORT, runNode } from '../../support/processes/node-process.js';
import { hasProgram, skipWithout } from '../../support/processes/program.js';
import { scratchProject, writeApp } from '../../support/processes/scratch-project.js';

const CONNECTIONS = 6;

/**
 * Connections to `ask()` one after the other; the process that answers does so at once. What it has of a connection it closes.
 */
const ASK = `
const net = require('net');
const cluster = require('cluster');
const { fork } = require('child_process');
const ask = (port, times, done) => {
  if (times === 0) return done();
  const client = net.connect(port, '127.0.0.1');
  client.resume().on('close', () => ask(port, times - 1, done));
};
`;

const SENT = `${ASK}
if (process.argv[2] !== 'child') {
  const child = fork(__filename, ['child']);
  child.once('message', () => {
    const server = net.createServer({ pauseOnConnect: true }, (socket) => child.send('socket', socket));
    server.listen(0, '127.0.0.1', () => ask(server.address().port, ${CONNECTIONS}, () => { child.disconnect(); server.close(); }));
  });
} else {
  process.on('message', (_, socket) => socket.end('hello'));
  process.send('ready');
}`;

const CLUSTER = `${ASK}
if (cluster.isPrimary) {
  const worker = cluster.fork();
  worker.once('message', (port) => ask(port, ${CONNECTIONS}, () => worker.disconnect()));
} else {
  const server = net.createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1', () => process.send(server.address().port));
}`;

let traces = 0;

/**
 * The calls on options of sockets that were received by a process, each a list, by a process that is traced from its start on.
 */
async function callsOnReceived(source: string, preload: readonly string[]): Promise<string[][]> {
  const output = join(scratchProject(), `handed-${traces++}`);
  const names = 'trace=recvmsg,setsockopt,getsockopt,close';
  const { code, stderr } = await runNode([...preload, writeApp('handed.cjs', source)], {
    env: { NODE_CLUSTER_SCHED_POLICY: 'rr' },
    under: ['strace', '-ff', '-qq', '-o', output, '-e', names],
  });
  expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
  const files = readdirSync(scratchProject()).filter((name) => name.startsWith(`handed-${traces - 1}.`));
  return files.flatMap((name) => received(readFileSync(join(scratchProject(), name), 'utf8')));
}

function received(trace: string): string[][] {
  const sockets: string[][] = [];
  const open = new Map<number, string[]>();
  for (const line of trace.split('\n')) {
    const fd = Number(/cmsg_type=SCM_RIGHTS, cmsg_data=\[(\d+)\]/.exec(line)?.[1]);
    if (line.startsWith('recvmsg') && fd > 0) {
      const own: string[] = [];
      open.set(fd, own);
      sockets.push(own);
    }
    const [, name, on = '', option = ''] = /^(\w+)\((\d+)(?:, \w+, (\w+))?/.exec(line) ?? [];
    if (name === 'close') open.delete(Number(on));
    else if (name?.endsWith('sockopt')) open.get(Number(on))?.push(`${name} ${option}`);
  }
  return sockets;
}

describe('the system calls on a connection that is', () => {
  before(function () {
    if (!hasProgram('strace')) skipWithout(this, 'strace');
  });

  for (const [way, source] of Object.entries({
    'sent by process.send()': SENT,
    'a worker’s by round robin': CLUSTER,
  })) {
    it(`${way} are none after the first, but those of stock Node, where its listener is tuned`, async () => {
      const [stock, tuned] = [await callsOnReceived(source, []), await callsOnReceived(source, BY_IMPORT)];
      expect(stock).to.have.length(CONNECTIONS);
      expect(tuned).to.have.length(CONNECTIONS);
      expect(tuned.slice(1)).to.deep.equal(stock.slice(1));
      expect(tuned[0]).to.include('getsockopt TCP_KEEPIDLE').and.include('getsockopt TCP_KEEPCNT');
      expect(tuned[0]?.filter((call) => call.startsWith('setsockopt'))).to.deep.equal(['setsockopt TCP_QUICKACK']);
    });
  }
});
