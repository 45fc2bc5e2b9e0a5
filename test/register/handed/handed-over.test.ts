import { expect } from 'chai';
import { type Handover, type Preloaded, runHandover, TUNED, UNTOUCHED } from '../../support/processes/handed-over.js';

/**
 * The parent accepts and sends on, the child answers with what the kernel has; three connections.
 *
 * @param before what the parent's app does with a socket before it sends it
 * @param after what the child's app does with it before it looks
 */
function sockets({ server = '', before = '', send = '', after = '' } = {}): string {
  return `
if (isParent) {
  const child = forkChild();
  let events = [];
  const server = net.createServer({ pauseOnConnect: true, ${server} }, (socket) => {
    ${before};
    child.send({ hello: 'socket' }, socket ${send});
  }).listen(0, '127.0.0.1', () => ask(server.address().port, 3, (texts) => {
    for (const text of texts) print(JSON.parse(text));
    child.disconnect();
    server.close();
  }));
} else {
  process.on('message', (message, socket) => {
    ${after};
    const { remoteAddress, localAddress, readableFlowing, server } = socket;
    const answer = { kernel: kernel(socket), message, remoteAddress, localAddress, readableFlowing, server, read: '' };
    socket.setEncoding('latin1').once('data', (data) => socket.end(JSON.stringify({ ...answer, read: data })));
  });
}`;
}

const SEND_KEEPS_OPEN = ', { keepOpen: true }, () => setTimeout(() => socket.destroy(), 50)';

function kernelsOf({ lines }: Handover): unknown[] {
  return lines.map((line) => (line as { kernel: unknown }).kernel);
}

const BOTH: Preloaded = { parent: true, child: true };
const CHILD: Preloaded = { parent: false, child: true };
const NEITHER: Preloaded = { parent: false, child: false };

function expectClean({ code, signal, stderr }: Handover): void {
  expect({ code, signal, stderr }).to.deep.equal({ code: 0, signal: null, stderr: '' });
}

describe('a socket that a process is sent by its parent', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  for (const [name, form] of Object.entries({
    'sent for good': {},
    'that the parent keeps open': { send: SEND_KEEPS_OPEN },
  })) {
    it(`${name}, looks as ever, and is tuned where the parent is not`, async () => {
      const [stock, tuned] = [await runHandover(sockets(form), NEITHER), await runHandover(sockets(form), CHILD)];
      expectClean(tuned);
      expect(kernelsOf(stock)).to.deep.equal([UNTOUCHED, UNTOUCHED, UNTOUCHED]);
      expect(kernelsOf(tuned)).to.deep.equal([TUNED, TUNED, TUNED]);
      const without = ({ lines }: Handover): object[] => lines.map((line) => ({ ...(line as object), kernel: '' }));
      expect(without(tuned)).to.deep.equal(without(stock));
    });

    it(`${name}, has all from a parent that is tuned, and is counted`, async () => {
      const run = await runHandover(sockets(form), BOTH);
      expectClean(run);
      expect(kernelsOf(run)).to.deep.equal([TUNED, TUNED, TUNED]);
      const [parent, child] = run.reports;
      expect(parent?.listeners.map(({ connections }) => connections)).to.deep.equal([3]);
      expect(child?.connections).to.equal(3);
      const [source] = child?.listeners ?? [];
      expect(source?.address).to.match(/^127\.0\.0\.1:\d+ \(elsewhere\)$/);
      expect(source?.connections).to.equal(3);
      const verdicts = source?.accepted.map(({ constant, verdict }) => [constant, verdict]) ?? [];
      for (const constant of Object.keys(TUNED)) expect(verdicts).to.deep.include([constant, 'inherited']);
    });
  }

  it('is tuned in neither, if neither is', async () => {
    const run = await runHandover(sockets(), { parent: true, child: true }, { SOCKET_TUNE: 'off' });
    expect(kernelsOf(run)).to.deep.equal([UNTOUCHED, UNTOUCHED, UNTOUCHED]);
  });

  it('has of its tuned parent all that the app there has not taken back', async () => {
    const before = 'socket.setNoDelay(false); socket.setKeepAlive(false)';
    const run = await runHandover(sockets({ before }), BOTH);
    expectClean(run);
    const expected = { ...TUNED, TCP_NODELAY: 0, SO_KEEPALIVE: 0 };
    expect(kernelsOf(run)).to.deep.equal([expected, expected, expected]);
    const child = run.reports[1]?.listeners[0]?.accepted.find(({ constant }) => constant === 'TCP_NODELAY');
    expect(child).to.include({ verdict: 'unneeded', kernel: 0 });
  });

  it('keeps what the app of a parent without socket-tune has said of it', async () => {
    const run = await runHandover(sockets({ before: 'socket.setKeepAlive(true, 33_000)' }), CHILD);
    expectClean(run);
    const own = { TCP_KEEPIDLE: 33, TCP_KEEPINTVL: 1, TCP_KEEPCNT: 10 };
    for (const kernel of kernelsOf(run)) expect(kernel).to.deep.equal({ ...TUNED, ...own });
  });

  it('keeps what the app here says of it', async () => {
    const after = 'socket.setNoDelay(false); socket.setKeepAlive(false)';
    for (const preloaded of [CHILD, BOTH]) {
      const run = await runHandover(sockets({ after }), preloaded);
      expectClean(run);
      const expected = { ...TUNED, TCP_NODELAY: 0, SO_KEEPALIVE: 0 };
      expect(kernelsOf(run)).to.deep.equal([expected, expected, expected]);
    }
  });

  it('keeps what the app here says of it once an http server has it', async () => {
    const source = `
if (isParent) {
  const child = forkChild();
  const server = net.createServer({ pauseOnConnect: true }, (socket) => child.send('socket', socket)).listen(0, '127.0.0.1', () =>
    ask(server.address().port, 2, (texts) => {
      for (const text of texts) print({ kernel: JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)) });
      child.disconnect();
      server.close();
    }));
} else {
  const server = http.createServer(({ socket }, response) => {
    socket.setNoDelay(false);
    response.end(JSON.stringify(kernel(socket)));
  });
  process.on('message', (_, socket) => { server.emit('connection', socket); socket.resume(); });
}`;
    const run = await runHandover(source, CHILD);
    expectClean(run);
    expect(kernelsOf(run)).to.deep.equal([
      { ...TUNED, TCP_NODELAY: 0 },
      { ...TUNED, TCP_NODELAY: 0 },
    ]);
  });

  it('is left alone if it was connected by the parent, and not accepted', async () => {
    const source = `
if (isParent) {
  const child = forkChild();
  const server = net.createServer((socket) => socket.on('data', (data) => { print(JSON.parse(data)); child.disconnect(); server.close(); socket.end(); }));
  server.listen(0, '127.0.0.1', () => {
    const client = net.connect(server.address().port, '127.0.0.1', () => child.send('socket', client));
  });
} else {
  process.on('message', (_, socket) => socket.end(JSON.stringify({ kernel: kernel(socket) })));
}`;
    const run = await runHandover(source, CHILD);
    expectClean(run);
    expect(kernelsOf(run)).to.deep.equal([UNTOUCHED]);
    expect(run.reports[0]?.connections).to.equal(0);
  });

  it('is tuned as well where a child sends it to its parent, which listens', async () => {
    const source = `
if (isParent) {
  const other = net.createServer().listen(0, '127.0.0.1', () => {
    const child = forkChild();
    child.on('message', (message, socket) => {
      if (socket !== undefined) return socket.end(JSON.stringify({ kernel: kernel(socket) }));
      ask(message, 2, (texts) => { for (const text of texts) print(JSON.parse(text)); child.disconnect(); other.close(); });
    });
  });
} else {
  const server = net.createServer({ pauseOnConnect: true }, (socket) => process.send('socket', socket));
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
  process.on('disconnect', () => server.close());
}`;
    const run = await runHandover(source, { parent: true, child: false });
    expectClean(run);
    expect(kernelsOf(run)).to.deep.equal([TUNED, TUNED]);
    expect(run.reports[0]?.connections).to.equal(2);
  });

  it('has its parts of requests acknowledged at once', async () => {
    const source = `
if (isParent) {
  const child = forkChild();
  const server = net.createServer({ pauseOnConnect: true }, (socket) => child.send('socket', socket));
  server.listen(0, '127.0.0.1', () => {
    const client = net.connect(server.address().port, '127.0.0.1').setNoDelay(true).resume();
    client.write('one');
    child.once('message', () => client.write('two'));
    client.on('close', () => { child.disconnect(); server.close(); });
  });
} else {
  let text = '';
  process.on('message', (_, socket) => socket.on('data', (data) => {
    text += data;
    if (text === 'onetwo') socket.end();
    else process.send('read');
  }).resume());
}`;
    for (const preloaded of [CHILD, BOTH]) {
      const run = await runHandover(source, preloaded);
      expectClean(run);
      expect(run.reports.at(-1)?.quickAcks).to.be.above(0);
    }
  });
});
