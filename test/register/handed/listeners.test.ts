import { expect } from 'chai';
import { type Handover, type Preloaded, runHandover, TUNED, UNTOUCHED } from '../../support/processes/handed-over.js';

const BOTH: Preloaded = { parent: true, child: true };
const CHILD: Preloaded = { parent: false, child: true };
const PARENT: Preloaded = { parent: true, child: false };
const NEITHER: Preloaded = { parent: false, child: false };

/** The parent asks once the child listens, prints what its connections have, and ends. */
const ASK_CHILD = `
const askChild = (child, port, end = () => undefined) => child.on('message', (message) => {
  if (message.listening === undefined) return;
  print({ address: message.listening.address, family: message.listening.family });
  ask(message.listening.port ?? port, 3, (texts) => {
    for (const text of texts) print({ kernel: JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)) });
    child.kill('SIGHUP');
    end();
  });
});
/** Answer with what the kernel has of a connection. */
const answering = (options) => options?.http
  ? http.createServer(options, ({ socket }, response) => response.end(JSON.stringify(kernel(socket))))
  : net.createServer(options ?? {}, (socket) => socket.resume().end(JSON.stringify(kernel(socket))));
const listening = (server) => {
  process.send({ listening: server.address() });
  process.once('SIGHUP', () => { server.close(); process.disconnect(); });
};
`;

/** Ways in which a child comes by a listener that its parent has opened. */
const WAYS = {
  'that its parent has sent': `
if (isParent) {
  const child = forkChild();
  const server = net.createServer().listen(0, '127.0.0.1', () => child.send('server', server, () => server.close()));
  askChild(child);
} else process.once('message', (_, given) => { given.on('connection', (socket) => socket.resume().end(JSON.stringify(kernel(socket)))); listening(given); });`,
  'that its parent has sent as a handle': `
if (isParent) {
  const child = forkChild();
  const server = net.createServer().listen(0, '127.0.0.1', () => child.send('handle', server._handle, () => server.close()));
  askChild(child);
} else process.once('message', (_, handle) => { const server = answering().listen(handle, () => listening(server)); });`,
  'that it has as a descriptor and that listens already, as of systemd': `
if (isParent) {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const { LISTEN_FDS } = { LISTEN_FDS: '1' };
    const options = childOptions({ stdio: ['ignore', 'inherit', 'inherit', server._handle.fd, 'ipc'] });
    options.env = { ...options.env, LISTEN_FDS };
    const child = spawn(process.execPath, [...options.execArgv, __filename], options);
    askChild(child);
    server.close();
  });
} else { const server = answering().listen({ fd: 3 }, () => listening(server)); }`,
  'that it has as a descriptor and that is bound': `
if (isParent) {
  const { TCP, constants } = process.binding('tcp_wrap');
  const handle = new TCP(constants.SERVER);
  handle.bind('127.0.0.1', 0);
  const options = childOptions({ stdio: ['ignore', 'inherit', 'inherit', handle.fd, 'ipc'] });
  const child = spawn(process.execPath, [...options.execArgv, __filename], options);
  askChild(child);
  handle.close();
} else { const server = answering().listen({ fd: 3 }, () => listening(server)); }`,
} as const;

function kernelsOf({ lines }: Handover): unknown[] {
  return lines.slice(1).map((line) => (line as { kernel: unknown }).kernel);
}

function expectClean({ code, signal, stderr }: Handover): void {
  expect({ code, signal, stderr }).to.deep.equal({ code: 0, signal: null, stderr: '' });
}

function threeTimes<T>(value: T): T[] {
  return [value, value, value];
}

describe('a listener', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  for (const [way, source] of Object.entries(WAYS)) {
    const app = ASK_CHILD + source;

    it(`${way}, is at the same address as ever, and is tuned by the child where it was not`, async () => {
      const [stock, tuned] = [await runHandover(app, NEITHER), await runHandover(app, CHILD)];
      expectClean(stock);
      expectClean(tuned);
      expect(kernelsOf(stock)).to.deep.equal(threeTimes(UNTOUCHED));
      expect(kernelsOf(tuned)).to.deep.equal(threeTimes(TUNED));
      expect(tuned.lines[0]).to.deep.equal(stock.lines[0]);
      const [listener] = tuned.reports[0]?.listeners ?? [];
      expect(listener?.connections).to.equal(3);
      expect(listener?.address).to.match(/^127\.0\.0\.1:\d+$/);
      expect(listener?.outcomes).to.deep.include({
        option: 'keepAliveIdle',
        constant: 'TCP_KEEPIDLE',
        asked: 60,
        kernel: 60,
        verdict: 'applied',
      });
    });

    if (way.endsWith('is bound')) continue;
    it(`${way}, passes on what the parent has set, with preload in the child or without`, async () => {
      const [without, both] = [await runHandover(app, PARENT), await runHandover(app, BOTH)];
      expectClean(both);
      for (const run of [without, both]) expect(kernelsOf(run)).to.deep.equal(threeTimes(TUNED));
      const [listener] = both.reports.at(-1)?.listeners ?? [];
      const verdicts = listener?.outcomes.map(({ constant, verdict }) => [constant, verdict]);
      expect(verdicts).to.deep.include(['TCP_KEEPIDLE', 'inherited']);
      expect(verdicts).not.to.deep.include(['TCP_NODELAY', 'applied']);
    });
  }

  it('that an app shares which wants Nagle there is left to it', async () => {
    const app = `${ASK_CHILD}
if (isParent) {
  const child = forkChild();
  const server = http.createServer({ noDelay: false }).listen(0, '127.0.0.1', () => child.send('server', server, () => server.close()));
  askChild(child);
} else process.once('message', (_, given) => { given.on('connection', (socket) => socket.resume().end(JSON.stringify(kernel(socket)))); listening(given); });`;
    const run = await runHandover(app, BOTH);
    expectClean(run);
    expect(kernelsOf(run)).to.deep.equal(threeTimes({ ...TUNED, TCP_NODELAY: 0 }));
  });

  it('that was tuned elsewhere has no say in what an http server here wants', async () => {
    const app = `${ASK_CHILD}
if (isParent) {
  const child = forkChild();
  const server = net.createServer().listen(0, '127.0.0.1', () => child.send('handle', server._handle, () => server.close()));
  askChild(child);
} else process.once('message', (_, handle) => {
  const server = answering({ http: true, noDelay: false }).listen(handle, () => listening(server));
});`;
    const run = await runHandover(app, BOTH);
    expectClean(run);
    expect(kernelsOf(run)).to.deep.equal(threeTimes({ ...TUNED, TCP_NODELAY: 0 }));
  });

  it('of which somebody has set an option keeps that, unless the user has named the option', async () => {
    const app = `${ASK_CHILD}
if (isParent) {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    setOption(server, 'TCP_KEEPIDLE', 44);
    setOption(server, 'TCP_NODELAY', 1);
    const options = childOptions({ stdio: ['ignore', 'inherit', 'inherit', server._handle.fd, 'ipc'] });
    const child = spawn(process.execPath, [...options.execArgv, __filename], options);
    askChild(child);
    server.close();
  });
} else { const server = answering({ http: true, noDelay: false }).listen({ fd: 3 }, () => listening(server)); }`;
    const [preset, named] = [
      await runHandover(app, CHILD),
      await runHandover(app, CHILD, { SOCKET_TUNE_KEEPALIVE_IDLE: '60' }),
    ];
    expectClean(preset);
    // As in stock Node, which does not undo what it has not done.
    expect(kernelsOf(preset)).to.deep.equal(threeTimes({ ...TUNED, TCP_KEEPIDLE: 44 }));
    expect(kernelsOf(named)).to.deep.equal(threeTimes(TUNED));
  });
});
