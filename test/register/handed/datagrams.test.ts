import { expect } from 'chai';
import { type Handover, type Preloaded, runHandover } from '../../support/processes/handed-over.js';

const BOTH: Preloaded = { parent: true, child: true };
const CHILD: Preloaded = { parent: false, child: true };
const NEITHER: Preloaded = { parent: false, child: false };

/** The child answers with the sizes of the socket that it is sent; the parent prints that. */
function app(before = '', after = ''): string {
  return `
if (isParent) {
  const child = forkChild();
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1', () => {
    ${before};
    const { port } = socket.address();
    child.send('socket', socket, () => {
      socket.close();
      const client = dgram.createSocket('udp4');
      client.on('message', (text) => { print(JSON.parse(text)); child.disconnect(); client.close(); });
      const again = () => client.send('hello', port, '127.0.0.1');
      child.once('message', again);
    });
  });
} else {
  process.on('message', (_, socket) => {
    ${after};
    const address = socket.address();
    const sizes = [socket.getRecvBufferSize(), socket.getSendBufferSize()];
    socket.on('message', (text, { port }) => {
      const answer = { sizes, text: String(text), address: address.address };
      socket.send(JSON.stringify(answer), port, '127.0.0.1', () => socket.close());
    });
    process.send('ready');
  });
}`;
}

function sizesOf({ lines }: Handover): number[] {
  return (lines[0] as { sizes: number[] }).sizes;
}

function expectClean({ code, signal, stderr }: Handover): void {
  expect({ code, signal, stderr }).to.deep.equal({ code: 0, signal: null, stderr: '' });
}

describe('a UDP socket that a process is sent by its parent', () => {
  let stock: Handover;

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    stock = await runHandover(app(), NEITHER);
    expectClean(stock);
  });

  it('is tuned by the child where the parent has not, and works as ever', async () => {
    const run = await runHandover(app(), CHILD);
    expectClean(run);
    const [receive = 0, send = 0] = sizesOf(run);
    const [stockReceive = 0, stockSend = 0] = sizesOf(stock);
    expect(receive).to.be.above(stockReceive);
    expect(send).to.be.above(stockSend);
    expect({ ...(run.lines[0] as object), sizes: '' }).to.deep.equal({ ...(stock.lines[0] as object), sizes: '' });
    expect(run.reports[0]?.datagrams.sockets).to.equal(1);
    expect(run.reports[0]?.datagrams.outcomes.map(({ kernel }) => kernel)).to.deep.equal([receive, send]);
  });

  it('has the sizes that the parent has set, and is not asked for more', async () => {
    const run = await runHandover(app(), BOTH);
    expectClean(run);
    expect(sizesOf(run)).to.deep.equal(sizesOf(await runHandover(app(), CHILD)));
  });

  it('keeps the sizes that the app of its parent has set, tuned or not', async () => {
    const before = 'socket.setRecvBufferSize(60_000); socket.setSendBufferSize(70_000)';
    for (const preloaded of [CHILD, BOTH]) {
      const run = await runHandover(app(before), preloaded);
      expectClean(run);
      expect(sizesOf(run)).to.deep.equal([120_000, 140_000]);
    }
  });

  it('keeps the sizes that the app here sets', async () => {
    const run = await runHandover(app('', 'socket.setRecvBufferSize(60_000)'), CHILD);
    expectClean(run);
    expect(sizesOf(run)[0]).to.equal(120_000);
  });

  it('is tuned in a cluster, too, where it is the primary’s', async () => {
    const source = `
if (isParent) {
  const options = childOptions();
  cluster.setupPrimary({ exec: __filename, execArgv: options.execArgv });
  const worker = cluster.fork(options.env);
  worker.on('message', (sizes) => { print({ sizes }); worker.disconnect(); });
} else {
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1', () =>
    process.send([socket.getRecvBufferSize(), socket.getSendBufferSize()]));
}`;
    const run = await runHandover(source, CHILD);
    expectClean(run);
    const [receive = 0, send = 0] = sizesOf(run);
    expect(receive).to.be.above(sizesOf(stock)[0] ?? 0);
    expect(send).to.be.above(sizesOf(stock)[1] ?? 0);
  });
});
