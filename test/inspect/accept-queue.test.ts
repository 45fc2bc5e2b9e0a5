import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Report } from '../../src/report/report.js';
import type { Snapshot } from '../../src/report/snapshot.js';
import { useScratch } from '../support/files/scratch.js';
import { type NodeProcess, runApp, startApp } from '../support/processes/node-process.js';
import { freePort } from '../support/sockets/free-port.js';
import { linux } from '../support/sockets/kernel-value.js';
import { textAt } from '../support/sockets/text-at.js';
import { until } from '../support/until.js';

const CLI = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));

const BACKLOG = 5;

/** More than its queue takes. */
const CLIENTS = 20;

/** At a signal its loop is held until there is a file. */
function appHeldUntil(file: string): string {
  return `
const { existsSync } = require('node:fs');
const server = require('node:net').createServer((socket) => socket.on('error', () => {}));
server.listen({ port: 0, host: '127.0.0.1', backlog: ${BACKLOG} }, () => console.log('port ' + server.address().port));
process.on('SIGUSR2', () => {
  process.stdout.write('held\\n');
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  while (!existsSync(${JSON.stringify(file)})) Atomics.wait(nobody, 0, 0, 20);
});`;
}

describe('an accept queue that overflows', () => {
  const scratch = useScratch();
  let inspect: number;
  let app: NodeProcess;
  let clients: Socket[] = [];
  let port: number;

  function ask(path: string): Promise<string> {
    return textAt(`http://127.0.0.1:${inspect}${path}`);
  }

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    inspect = await freePort();
    const file = scratch.path('go-on');
    // The preset's backlog is greater than the app's.
    const env = { SOCKET_TUNE_INSPECT: `127.0.0.1:${inspect}`, SOCKET_TUNE_BACKLOG: String(BACKLOG) };
    app = startApp('cjs', appHeldUntil(file), { env });
    port = Number((await app.until(/port (\d+)/))[1]);
    await until('it can be looked at', () =>
      ask('/').then(
        () => true,
        () => false,
      ),
    );
    app.child.kill('SIGUSR2');
    await app.until(/held/);
    const drops = (): number => linux().listenCounters()?.drops ?? Number.NaN;
    const before = drops();
    clients = Array.from({ length: CLIENTS }, () => connect(port, '127.0.0.1').on('error', () => undefined));
    await until('what does not fit was dropped', () => drops() >= before + CLIENTS - BACKLOG - 1);
    writeFileSync(file, '');
  });

  after(() => {
    for (const client of clients) client.destroy();
    app?.child.kill('SIGKILL');
  });

  const ADVICE = `raise the backlog of listen() or SOCKET_TUNE_BACKLOG above ${BACKLOG}`;

  it('is seen in the snapshot: how long it was, what was dropped, and what to raise', async () => {
    const { report }: Snapshot = JSON.parse(await ask('/snapshot.json'));
    const [listener] = report.listeners;
    expect(listener?.acceptQueue).to.include({ limit: BACKLOG, highest: BACKLOG + 1 });
    const drops = listener?.acceptQueue?.drops;
    expect(drops).to.be.at.least(CLIENTS - BACKLOG - 1);
    expect(report.dropped?.overflows.since).to.be.at.least(drops ?? Number.NaN);
    expect(report.dropped?.drops.total).to.be.at.least(report.dropped?.drops.since ?? Number.NaN);
  });

  it('is seen in the metrics', async () => {
    const body = await ask('/metrics');
    const value = (sample: string): number => {
      const line = body.split('\n').find((candidate) => candidate.startsWith(`${sample} `));
      return Number(line?.slice(sample.length + 1));
    };
    const label = `{listener="127.0.0.1:${port}"}`;
    expect(value(`socket_tune_accept_queue_limit${label}`)).to.equal(BACKLOG);
    expect(value(`socket_tune_accept_queue_highest${label}`)).to.equal(BACKLOG + 1);
    expect(value(`socket_tune_accept_queue_drops_total${label}`)).to.be.above(0);
    expect(value(`socket_tune_accept_queue_length${label}`)).to.be.within(0, BACKLOG + 1);
    expect(value('socket_tune_namespace_listen_overflows_total')).to.be.above(0);
    expect(value('socket_tune_namespace_listen_drops_total')).to.be.above(0);
  });

  it('is seen in top', () => {
    const { stdout } = spawnSync(process.execPath, [CLI, 'top', `http://127.0.0.1:${inspect}`], { encoding: 'utf8' });
    expect(stdout)
      .to.include(`accept queue 0 of ${BACKLOG}, longest ${BACKLOG + 1}`)
      .and.include(ADVICE);
    expect(stdout).to.match(/network namespace: [\d,]+ times an accept queue was full, [\d,]+ drops since/);
  });

  it('is not counted as its own by a process that listens later', async () => {
    const later = "const server = require('net').createServer().listen(0, () => server.close())";
    const { report } = await runApp('cjs', later);
    const overflows = report?.dropped?.overflows;
    expect(overflows?.total).to.be.at.least(CLIENTS - BACKLOG - 1);
    // Other processes of this machine may have some meanwhile.
    expect(overflows?.since).to.be.below(overflows?.total ?? 0);
  });

  it('is seen in the report, also at the end of the process', async () => {
    app.child.kill('SIGTERM');
    const { report } = await app.ended;
    expect(report?.listeners[0]?.acceptQueue).to.include({ limit: BACKLOG, highest: BACKLOG + 1 });
    expect((report as Report).dropped?.overflows.since).to.be.above(0);
  });
});
