import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { type EndedProcess, runNode } from '../support/processes/node-process.js';
import { turns } from '../support/turns.js';
import { until } from '../support/until.js';
import { generate } from './splice/generate.js';
import { compare, judge } from './splice/judge.js';
import type { LineRecord } from './splice/messages.js';
import { openPeers, type Peers } from './splice/peers.js';
import type { LinePlan, Operation } from './splice/plan.js';
import { connectTo, ProxyLine } from './splice/proxy-line.js';

function fuzz(...args: readonly string[]): Promise<EndedProcess> {
  return runNode([join(import.meta.dirname, 'splice/main.js'), ...args], { timeout: 120_000 });
}

describe('the random pipes between sockets', () => {
  it('bring what stock Node would bring', async function () {
    if (process.platform !== 'linux') this.skip();
    this.timeout(120_000);
    const { code, stdout, stderr } = await fuzz('--seconds', '5', '--seed', '13');
    expect({ code, stderr }, stdout).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(/^seed 13, Node v\S+, tuned: [1-9]\d* sessions, 0 wrong/);
    expect(stdout).to.match(/^[1-9]\S* MB by splice$/m);
  });

  it('are as Node pipes them, without the package', async function () {
    this.timeout(120_000);
    const { code, stdout, stderr } = await fuzz('--seconds', '3', '--seed', '13', '--stock');
    expect({ code, stderr }, stdout).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(/^seed 13, Node v\S+, stock: [1-9]\d* sessions, 0 wrong/);
  });

  it('are the same for the same seed, and have every act', () => {
    expect(generate(1, 5)).to.deep.equal(generate(1, 5));
    expect(generate(1, 5)).not.to.deep.equal(generate(1, 6));
    const sessions = Array.from({ length: 200 }, (_, number) => generate(4, number));
    const acts = sessions.flatMap(({ lines }) =>
      lines.flatMap(({ operations }) => operations.map(({ act }) => act.what)),
    );
    expect(new Set(acts).size).to.equal(10);
  });

  it('are compared byte for byte', () => {
    const expected = Buffer.from('0123456789');
    expect(compare('it', expected, expected, true)).to.equal(undefined);
    expect(compare('it', Buffer.from('01234'), expected, false)).to.equal(undefined);
    expect(compare('it', Buffer.from('01234'), expected, true)).to.match(/^it: 5 bytes of 10/);
    expect(compare('it', Buffer.from('0123x'), expected, false)).to.equal('it: 5 bytes of 10, wrong from 4');
    expect(compare('it', Buffer.from('01234567899'), expected, false)).to.match(/^it: 11 bytes of 10/);
  });
});

function plan(...operations: readonly Operation[]): LinePlan {
  return {
    from: 'tcp',
    to: 'tcp',
    via: 'pipe',
    sourceHighWaterMark: undefined,
    sinkHighWaterMark: undefined,
    there: { seed: 1, size: 1 << 20, piece: [1 << 20, 1 << 20], sendPause: [0, 0], readPause: [0, 0] },
    back: undefined,
    operations,
    leave: undefined,
  };
}

/** The source of a line, when some of what the sender sends has been read. */
async function connectSource(run: (place: number) => void): Promise<Socket> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  run((server.address() as AddressInfo).port);
  const [source] = (await once(server, 'connection')) as [Socket];
  server.close();
  await until('the source has read', () => source.readableLength > 0);
  return source;
}

describe('the two sides of the random pipes', () => {
  async function sink(peers: Peers, index: number, text: string): Promise<void> {
    const socket = connectTo(peers.places[index] ?? '', undefined);
    socket.resume().end(text);
    await once(socket, 'close');
  }

  it('take a connection that was on its way when all others were closed', async () => {
    const peers = await openPeers(plan(), '', '');
    let tell: (record: { connected: number }) => void = () => undefined;
    const closed = new Promise<{ connected: number }>((resolve) => {
      tell = resolve;
    });
    let running: Promise<string | undefined> | undefined;
    const source = await connectSource((place) => {
      running = peers.run(place, closed);
    });
    source.resume().end();
    await Promise.all([sink(peers, 0, 'first'), once(source, 'close')]);
    await turns();
    await sink(peers, 1, 'late');
    let isOver = false;
    const over = running?.then((hang) => {
      isOver = true;
      return hang;
    });
    tell({ connected: 3 });
    await turns();
    expect(isOver).to.equal(false);
    await sink(peers, 2, 'last');
    expect(await over).to.equal(undefined);
    peers.close();
    const received = peers.received.map(({ chunks }) => Buffer.concat(chunks).toString());
    expect(received).to.deep.equal(['first', 'late', 'last', '']);
  });

  it('count what waits corked in a sink that is not connected', async () => {
    const corked = plan({ at: 0, act: { what: 'cork', for: 'tick' } }, { at: 0, act: { what: 'unpipe', for: 'tick' } });
    const peers = await openPeers(corked, '', '');
    let tell: (record: LineRecord) => void = () => undefined;
    const closed = new Promise<LineRecord>((resolve) => {
      tell = resolve;
    });
    let running: Promise<string | undefined> | undefined;
    const source = await connectSource((place) => {
      running = peers.run(place, closed);
    });
    const line = new ProxyLine(corked, source, peers.places);
    await line.run();
    tell(line.record);
    const hang = await running;
    peers.close();
    expect(judge(corked, peers, line.record, hang)).to.deep.equal([]);
    expect(line.record.acts).to.equal(2);
  });
});
