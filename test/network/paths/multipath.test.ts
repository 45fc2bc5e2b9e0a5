import { expect } from 'chai';
import { type NodeProcess, runNode, startApp } from '../../support/processes/node-process.js';
import { skip } from '../../support/test-run/skipped.js';
import { makeTwoLinks, type TwoLinks, twoLinksObstacle } from './two-links.js';

const MPTCP = { SOCKET_TUNE_MPTCP: 'on' };
const CONNECT_MPTCP = { SOCKET_TUNE_CONNECT: 'on', SOCKET_TUNE_CONNECT_MPTCP: 'on' };
const PRELOAD = ['--import', 'socket-tune/register'] as const;

/** Answers in pieces, for six seconds; / at once. */
const SERVER = `
  import http from 'node:http';
  const server = http.createServer((request, response) => {
    if (request.url === '/') return response.end('hello');
    let sent = 0;
    const timer = setInterval(() => {
      response.write('piece ');
      if (++sent < 120) return;
      clearInterval(timer);
      response.end();
    }, 50);
  }).listen(0, () => console.log('port', server.address().port));
  process.on('SIGTERM', () => process.exit());`;

const CLUSTER = `
  import cluster from 'node:cluster';
  import http from 'node:http';
  import net from 'node:net';
  if (cluster.isPrimary) {
    for (const _ of [1, 2]) cluster.fork();
    let listening = 0;
    cluster.on('listening', (_, { port }) => { if (++listening === 2) console.log('port', port); });
    process.on('SIGTERM', () => { for (const worker of Object.values(cluster.workers)) worker.kill(); process.exit(); });
  } else http.createServer((_, response) => response.end('hello')).listen(8765);`;

const FETCH = `
  const [url] = process.argv.slice(1);
  fetch(url).then((response) => response.text()).then((text) => { console.log(text); process.exit(); });`;

/** Says when the answer has begun, and goes on reading. */
const READ = `
  const http = require('node:http');
  const [url] = process.argv.slice(2);
  http.get(url, (response) => { console.log('begun'); response.resume(); });`;

/** Counters of the kernel's MPTCP: net/mptcp/mib.c. */
function counter(netstat: string, name: string): number {
  const [names = '', values = ''] = netstat.split('\n').filter((line) => line.startsWith('MPTcpExt:'));
  return Number(values.split(' ')[names.split(' ').indexOf(name)]);
}

describe('MPTCP between two machines with two cables', () => {
  let links: TwoLinks;
  let app: NodeProcess | undefined;

  before(function () {
    const why = twoLinksObstacle();
    if (why !== undefined) skip(this, why);
  });

  beforeEach(function () {
    links = makeTwoLinks();
    const counters = links.runNear('cat', '/proc/net/netstat');
    if (!counters.includes('MPTcpExt:')) skip(this, 'this kernel has no MPTCP');
  });

  afterEach(async () => {
    app?.child.kill('SIGTERM');
    await app?.ended.catch(() => undefined);
    app = undefined;
    links?.close();
  });

  /** Starts the server at the near end. Returns its address on the first cable. */
  async function serve(env: Record<string, string>, source = SERVER): Promise<string> {
    app = startApp('mjs', source, { under: links.near, env });
    const [, port = ''] = await app.until(/port (\d+)/);
    return `http://${links.first.near}:${port}/`;
  }

  const fetched = async (url: string, env: Record<string, string>, preload: readonly string[] = PRELOAD) =>
    (await runNode([...preload, '-e', FETCH, url], { under: links.far, env })).stdout;

  const nearCounter = (name: string): number => counter(links.runNear('cat', '/proc/net/netstat'), name);

  it('is not asked for without the option, and negotiated with it at both ends: fetch from an http server', async () => {
    const url = await serve({});
    expect(await fetched(url, {})).to.equal('hello\n');
    expect(nearCounter('MPCapableSYNRX')).to.equal(0);
    app?.child.kill('SIGTERM');
    const other = await serve(MPTCP);
    expect(await fetched(other, CONNECT_MPTCP)).to.equal('hello\n');
    expect(nearCounter('MPCapableSYNRX')).to.equal(1);
    expect(nearCounter('MPCapableACKRX')).to.equal(1);
    app?.child.kill('SIGTERM');
    const { stderr, report } = await app!.ended;
    expect(stderr).to.equal('');
    const [listener] = report?.listeners ?? [];
    const isMptcp = ({ option }: { option: string }): boolean => option === 'multipath';
    expect(listener?.outcomes.find(isMptcp)).to.include({ verdict: 'applied', kernel: 1 });
    expect(listener?.accepted.find(isMptcp)).to.include({ verdict: 'inherited', kernel: 1 });
  });

  it('shows in ss(8), and only where both ends ask for it', async () => {
    const url = await serve(MPTCP);
    for (const env of [{ SOCKET_TUNE_CONNECT: 'on' }, CONNECT_MPTCP]) {
      const client = startApp('cjs', READ, { under: links.far, env, args: [`${url}pieces`] });
      await client.until(/begun/);
      const shown = links.runNear('ss', '-HMn', 'state', 'established');
      client.child.kill('SIGKILL');
      await client.ended;
      expect(shown.includes(links.first.near), shown).to.equal('SOCKET_TUNE_CONNECT_MPTCP' in env);
    }
  });

  it('falls back to TCP where either end has none', async () => {
    const withOption = await serve(MPTCP);
    expect(await fetched(withOption, {}, [])).to.equal('hello\n');
    expect(nearCounter('MPCapableSYNRX')).to.equal(0);
    app?.child.kill('SIGTERM');
    const without = await serve({});
    expect(await fetched(without, CONNECT_MPTCP)).to.equal('hello\n');
    const tried = counter(links.runFar('cat', '/proc/net/netstat'), 'MPCapableSYNTX');
    expect(tried).to.equal(1);
    expect(nearCounter('MPCapableACKRX')).to.equal(0);
  });

  it('is TCP where net.mptcp.enabled is 0, and whoever has asked is told once', async () => {
    links.runNear('sysctl', '-qw', 'net.mptcp.enabled=0');
    const url = await serve(MPTCP);
    expect(await fetched(url, CONNECT_MPTCP)).to.equal('hello\n');
    expect(await fetched(url, {})).to.equal('hello\n');
    app?.child.kill('SIGTERM');
    const { stderr } = await app!.ended;
    const told = /IPPROTO_MPTCP=1 \(SOCKET_TUNE_MPTCP\) is unsupported: ENOPROTOOPT, net.mptcp.enabled is 0;/g;
    expect(stderr.match(told)).to.have.length(1);
  });

  for (const [how, env] of Object.entries({
    'the primary': {},
    'each worker, on a port of all': { SOCKET_TUNE_REUSEPORT: 'on' },
  })) {
    it(`is what a cluster listens with: ${how}`, async () => {
      const url = await serve({ ...MPTCP, ...env }, CLUSTER);
      for (let time = 0; time < 3; time++) expect(await fetched(url, CONNECT_MPTCP)).to.equal('hello\n');
      expect(nearCounter('MPCapableACKRX')).to.equal(3);
      app?.child.kill('SIGTERM');
      expect((await app!.ended).stderr).to.equal('');
    });
  }
});
