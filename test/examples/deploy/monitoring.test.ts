import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { METRICS } from '../../../src/report/metrics/table.js';
import { type NodeProcess, startNode } from '../../support/processes/node-process.js';
import { repository, scratchProject } from '../../support/processes/scratch-project.js';
import { freePort } from '../../support/sockets/free-port.js';
import { textAt } from '../../support/sockets/text-at.js';
import { skip } from '../../support/test-run/skipped.js';
import { untilFound } from '../../support/until.js';

const MONITORING = join(repository, 'examples/deploy/monitoring');

/** What /metrics has beside the rows of the report. */
const OF_THE_PROCESS =
  /^socket_tune_(?:build_info|open_(?:connections|retransmits|unsent_bytes|round_trip_\w+_seconds))$/;

interface Target {
  readonly expr: string;
}

interface Panel {
  readonly title: string;
  readonly datasource: { readonly uid: string };
  readonly targets: readonly Target[];
}

const { panels }: { readonly panels: readonly Panel[] } = JSON.parse(
  readFileSync(join(MONITORING, 'dashboard.json'), 'utf8'),
);
const EXPRESSIONS = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

interface QueryAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly object[] };
}

describe('the dashboard of examples/deploy', () => {
  it('has metrics of ours only, and the data source that is provisioned', () => {
    const ours = new Set(METRICS.map(({ name }) => `socket_tune_${name}`));
    const named = EXPRESSIONS.flatMap((expression) => expression.match(/socket_tune_\w+/g) ?? []);
    expect(named).to.have.length.above(15);
    for (const name of named) expect(ours.has(name) || OF_THE_PROCESS.test(name), name).to.equal(true);
    const { datasources } = parse(readFileSync(join(MONITORING, 'grafana-datasource.yml'), 'utf8'));
    for (const { datasource, title } of panels) expect(datasource.uid, title).to.equal(datasources[0].uid);
  });

  describe('in a real Prometheus', () => {
    let app: NodeProcess;
    let prometheus: ChildProcess;
    let directory: string;
    let url: string;

    before(async function () {
      this.timeout(120_000);
      if (spawnSync('prometheus', ['--version']).error !== undefined) skip(this, 'there is no prometheus here');
      directory = mkdtempSync(join(tmpdir(), 'prometheus-'));
      const inspect = await freePort();
      cpSync(join(repository, 'examples/deploy/app.js'), join(scratchProject(), 'deploy/app.mjs'));
      app = startNode(['--import', 'socket-tune/register', 'deploy/app.mjs'], {
        env: { PORT: '0', SOCKET_TUNE_INSPECT: `127.0.0.1:${inspect}` },
        timeout: 120_000,
      });
      const [, port] = await app.until(/port: (\d+)/);
      for (const path of ['', 'file']) await textAt(new URL(path, `http://127.0.0.1:${port}/`));
      const own = readFileSync(join(MONITORING, 'prometheus.yml'), 'utf8');
      const configuration = own.replace('app:9465', `127.0.0.1:${inspect}`).replace('5s', '200ms');
      writeFileSync(join(directory, 'prometheus.yml'), configuration);
      mkdirSync(join(directory, 'data'));
      const address = `127.0.0.1:${await freePort()}`;
      url = `http://${address}/`;
      prometheus = spawn(
        'prometheus',
        [
          `--config.file=${join(directory, 'prometheus.yml')}`,
          `--storage.tsdb.path=${join(directory, 'data')}`,
          `--web.listen-address=${address}`,
        ],
        { stdio: 'ignore' },
      );
    });

    after(() => {
      prometheus?.kill('SIGKILL');
      app?.child.kill('SIGKILL');
      if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
    });

    async function query(expression: string): Promise<QueryAnswer | undefined> {
      const path = `api/v1/query?query=${encodeURIComponent(expression)}`;
      // It answers once it has started, at first with a refusal in plain text.
      const answer = await textAt(new URL(path, url)).catch(() => '');
      return answer.startsWith('{') ? (JSON.parse(answer) as QueryAnswer) : undefined;
    }

    it('has a configuration that promtool takes', () => {
      const { status, stdout } = spawnSync('promtool', ['check', 'config', join(directory, 'prometheus.yml')], {
        encoding: 'utf8',
      });
      expect(status, stdout).to.equal(0);
    });

    it('asks what Prometheus understands, and gets figures of the app', async () => {
      await untilFound('two samples', async () => {
        const answer = await query('rate(socket_tune_connections_total[1m])');
        return answer?.data?.result[0];
      });
      const empty: string[] = [];
      for (const expression of EXPRESSIONS) {
        const answer = await query(expression);
        expect(answer?.status, `${expression}: ${answer?.error}`).to.equal('success');
        if (answer?.data?.result.length === 0) empty.push(expression);
      }
      // The app opens no connection, and none of its own is open or idle, when Prometheus asks.
      for (const expression of empty)
        expect(expression).to.match(/_destination_|_round_trip_|not_rerouted|idle_closed|draining|cut_|copied_/);
    });
  });
});
