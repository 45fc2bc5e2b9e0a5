import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { withConnections } from '../../bench/watching.js';
import type { Snapshot } from '../../src/report/snapshot.js';
import { textAt } from '../support/sockets/text-at.js';

const CLI = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));

/** To 50 destinations. */
const CONNECTIONS = 500;

/** A snapshot costs 1 ms, and several on a busy machine. Asking the kernel about all connections costs as much again. */
const MOST_SECONDS = 0.03;

describe('outgoing connections per destination', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  it('are seen in the snapshot, the metrics and top, and cost little to look at', async () => {
    await withConnections(CONNECTIONS, async ({ url, cpuSeconds }) => {
      const ask = (path: string): Promise<string> => textAt(new URL(path, url));
      // As often as a sampling of all of them takes.
      for (let look = 0; look < 4; look++) await ask('snapshot.json');
      const { report }: Snapshot = JSON.parse(await ask('snapshot.json'));
      expect(report.destinations).to.have.length(50);
      for (const one of report.destinations) {
        expect(one).to.include({ open: 10, opened: 10, failed: 0, dead: 0, stale: 0, retransmits: 0 });
        expect(one.destination).to.match(/^127\.0\.0\.\d+:\d+$/);
        expect(one.roundTripTime).to.be.within(1, 1e6);
      }
      const [first] = report.destinations;
      const body = await ask('metrics');
      const label = `{destination="${first?.destination}"}`;
      expect(body).to.include(`\nsocket_tune_destination_open_connections${label} 10\n`);
      expect(body).to.include(`\nsocket_tune_destination_opened_total${label} 10\n`);
      expect(body).to.match(/\nsocket_tune_destination_round_trip_seconds\{[^}]+\} 0\.\d+\n/);
      expect(body).to.include('# TYPE socket_tune_destination_retransmits_total counter\n');
      const { stdout } = spawnSync(process.execPath, [CLI, 'top', url], { encoding: 'utf8' });
      expect(stdout).to.include('50 destinations, the first 20 by open');
      expect(stdout).to.match(/^127\.0\.0\.\d+:\d+ +10 +10 +0 /m);
      const before = cpuSeconds();
      for (let look = 0; look < 20; look++) await ask('snapshot.json');
      expect((cpuSeconds() - before) / 20).to.be.below(MOST_SECONDS);
    });
  });
});
