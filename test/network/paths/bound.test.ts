import { expect } from 'chai';
import { runApp, runNode, startApp } from '../../support/processes/node-process.js';
import { skip } from '../../support/test-run/skipped.js';
import { makeTwoLinks, type TwoLinks, twoLinksObstacle } from './two-links.js';

/** What becomes of a connection to each address, from the far machine. */
const TRY = `
  const net = require('node:net');
  const [port, ...hosts] = process.argv.slice(1);
  const one = (host) => new Promise((resolve) => {
    const socket = net.connect({ port, host, timeout: 1000 });
    socket.on('data', (data) => { resolve(String(data)); socket.destroy(); });
    socket.on('error', ({ code }) => resolve(code));
    socket.on('timeout', () => { resolve('timeout'); socket.destroy(); });
  });
  Promise.all(hosts.map(one)).then((answers) => console.log(answers.join(' ')));`;

const SERVER = `
  import net from 'node:net';
  import dgram from 'node:dgram';
  const udp = dgram.createSocket('udp4', (message, { address, port }) => udp.send('hello', port, address)).bind(0, () => {
    const server = net.createServer((socket) => socket.end('hello')).listen(0, () =>
      console.log('ports', server.address().port, udp.address().port));
  });
  process.on('SIGTERM', () => process.exit());`;

/** A question by UDP to each address, and whether it is answered. */
const ASK = `
  const dgram = require('node:dgram');
  const [port, ...hosts] = process.argv.slice(1);
  const one = (host) => new Promise((resolve) => {
    const socket = dgram.createSocket('udp4', (data) => { resolve(String(data)); socket.close(); });
    socket.on('error', ({ code }) => resolve(code));
    socket.send('?', Number(port), host);
    setTimeout(() => { resolve('nothing'); }, 700).unref();
    socket.unref();
    setTimeout(() => undefined, 800);
  });
  Promise.all(hosts.map(one)).then((answers) => console.log(answers.join(' ')));`;

/** As many connections as the machine's ports allow, from one address to two peers, which share a port. */
const MANY = `
  import net from 'node:net';
  const answers = await Promise.all(['127.0.0.1', '127.0.0.2'].map(async (host) => {
    const server = net.createServer((socket) => socket.write('hello'));
    await new Promise((resolve) => server.listen(7000, host, resolve));
    return server;
  }));
  const outcomes = [];
  for (let index = 0; index < 16; index++) {
    const host = ['127.0.0.1', '127.0.0.2'][index % 2];
    const socket = net.connect({ port: 7000, host, localAddress: '127.0.0.9' });
    outcomes.push(await new Promise((resolve) => {
      socket.once('data', () => resolve('hello'));
      socket.once('error', ({ code }) => resolve(code));
    }));
  }
  const counts = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  console.log(JSON.stringify(counts));
  process.exit();`;

describe('a machine with two cables', () => {
  let links: TwoLinks;

  before(function () {
    const why = twoLinksObstacle();
    if (why !== undefined) skip(this, why);
    links = makeTwoLinks();
  });

  after(() => links?.close());

  async function answers(env: Record<string, string>): Promise<{ tcp: string; udp: string; stderr: string }> {
    const app = startApp('mjs', SERVER, { under: links.near, env });
    const [, tcpPort = '', udpPort = ''] = await app.until(/ports (\d+) (\d+)/);
    const hosts = [links.first.near, links.second.near];
    const [tcp, udp] = await Promise.all([
      runNode(['-e', TRY, tcpPort, ...hosts], { under: links.far }),
      runNode(['-e', ASK, udpPort, ...hosts], { under: links.far }),
    ]);
    app.child.kill('SIGTERM');
    const { stderr } = await app.ended;
    return { tcp: tcp.stdout.trim(), udp: udp.stdout.trim(), stderr };
  }

  it('serves both by default, and the one of BINDTODEVICE alone: TCP and UDP', async () => {
    expect(await answers({})).to.deep.equal({ tcp: 'hello hello', udp: 'hello hello', stderr: '' });
    const bound = await answers({ SOCKET_TUNE_BINDTODEVICE: links.second.device });
    expect(bound).to.deep.equal({ tcp: 'ECONNREFUSED hello', udp: 'nothing hello', stderr: '' });
  });

  it('serves both, with a word, where no interface has the name', async () => {
    const { tcp, udp, stderr } = await answers({ SOCKET_TUNE_BINDTODEVICE: 'third' });
    expect([tcp, udp]).to.deep.equal(['hello hello', 'hello hello']);
    expect(stderr.match(/SO_BINDTODEVICE=third .*ENODEV, there is no such network interface/g)).to.have.length(1);
  });

  it('sends by the interface of CONNECT_BINDTODEVICE, whatever the routes say', async () => {
    const peer = startApp('mjs', SERVER, { under: links.far, preload: [] });
    const [, port = ''] = await peer.until(/ports (\d+)/);
    const connect = (env: Record<string, string>) =>
      runNode(['--import', 'socket-tune/register', '-e', TRY, port, links.first.far, links.second.far], {
        under: links.near,
        env: { SOCKET_TUNE_CONNECT: 'on', ...env },
      });
    expect((await connect({})).stdout.trim()).to.equal('hello hello');
    const bound = await connect({ SOCKET_TUNE_CONNECT_BINDTODEVICE: links.second.device });
    // The second cable has nobody with the first one's address.
    expect(bound.stdout.trim()).to.match(/^(EHOSTUNREACH|timeout) hello$/);
    peer.child.kill('SIGTERM');
    await peer.ended;
  });

  it('has as many connections from one address as each peer has ports for, and not for all together', async () => {
    links.runNear('sysctl', '-qw', 'net.ipv4.ip_local_port_range=40000 40007');
    const [stock, tuned] = [
      await runApp('mjs', MANY, { under: links.near, preload: [] }),
      await runApp('mjs', MANY, { under: links.near, env: { SOCKET_TUNE_CONNECT: 'on' } }),
    ];
    expect(JSON.parse(stock.stdout)).to.deep.equal({ hello: 8, EADDRINUSE: 8 });
    expect(JSON.parse(tuned.stdout)).to.deep.equal({ hello: 16 });
  });

  it('tells a process without the privilege why TRANSPARENT is refused, once, and serves', async () => {
    const without = ['setpriv', '--bounding-set', '-net_admin,-net_raw', '--inh-caps', '-all'];
    const source = `
      import net from 'node:net';
      for (const time of [1, 2]) {
        const server = net.createServer((socket) => socket.end('hello'));
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
        const socket = net.connect(server.address().port, '127.0.0.1');
        await new Promise((resolve) => socket.on('data', (data) => resolve(console.log(String(data)))));
        server.close();
      }`;
    const ended = await runApp('mjs', source, { under: without, env: { SOCKET_TUNE_TRANSPARENT: 'on' } });
    expect(ended.stdout).to.equal('hello\nhello\n');
    expect(ended.stderr.match(/IP_TRANSPARENT=1 .* is refused: EPERM, it takes CAP_NET_ADMIN/g)).to.have.length(1);
  });
});
