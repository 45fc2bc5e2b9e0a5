import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Report } from '../../src/report/report.js';
import { runNode } from '../support/processes/node-process.js';
import { hasProgram, skipWithout } from '../support/processes/program.js';
import { skip } from '../support/test-run/skipped.js';
import { type Fleet, type FleetOptions, startFleet } from './fleet-process.js';

const COUNT = 30;

/** Who answers a client that runs on one CPU. The kernel handles its connections on that CPU. */
async function answersOn(cpu: number, { port }: Fleet): Promise<readonly number[]> {
  const client = join(import.meta.dirname, 'client.js');
  const under = ['taskset', '-c', String(cpu)];
  const { stdout, stderr } = await runNode([client, String(port), String(COUNT)], { under });
  expect(stderr).to.equal('');
  return Object.keys(JSON.parse(stdout) as object).map(Number);
}

function hasTwoCpus(): boolean {
  const allowed = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '';
  return /^0[-,]/.test(allowed) && !/^0$|^0,(?!1)/.test(allowed);
}

const WAYS = {
  'made by the primary': (options: FleetOptions) => startFleet('cpu', options),
  'made by each worker': (options: FleetOptions) =>
    startFleet('workersOnly', { ...options, env: { SOCKET_TUNE_REUSEPORT: 'cpu' } }),
};

function outcomes(report: Report | undefined): string[] {
  return (report?.listeners ?? []).flatMap((listener) =>
    listener.outcomes.map(({ constant, verdict }) => `${constant} ${verdict}`),
  );
}

describe('SOCKET_TUNE_REUSEPORT=cpu', () => {
  before(function () {
    if (process.platform !== 'linux' || !hasTwoCpus()) skip(this, 'there are not two CPUs here');
    if (!hasProgram('taskset')) skipWithout(this, 'taskset');
  });

  for (const [manner, start] of Object.entries(WAYS)) {
    it(`sends connections to the worker that is bound to their CPU, with listeners ${manner}`, async () => {
      // The other way round than by their numbers.
      const fleet = await start({ pinned: [1, 0] });
      const [onOne, onZero] = fleet.pids;
      for (let round = 0; round < 2; round++) {
        expect(await answersOn(0, fleet)).to.deep.equal([onZero]);
        expect(await answersOn(1, fleet)).to.deep.equal([onOne]);
      }
      const reports = await fleet.end();
      if (manner === 'made by the primary')
        expect(outcomes(reports.get(fleet.primary))).to.include('SO_ATTACH_REUSEPORT_CBPF applied');
      else expect(outcomes(reports.get(onZero ?? 0))).to.include('SO_INCOMING_CPU applied');
    });

    it(`sends connections of one CPU to one worker, and those of another to another, with listeners ${manner}`, async () => {
      const fleet = await start({});
      const [ofZero, ofOne] = [await answersOn(0, fleet), await answersOn(1, fleet)];
      expect(ofZero).to.have.length(1);
      expect(ofOne).to.have.length(1);
      expect([...ofZero, ...ofOne].sort()).to.deep.equal([...fleet.pids].sort());
      await fleet.end();
    });
  }

  it('finds the worker of a CPU again when one has died and another taken its place', async () => {
    const fleet = await startFleet('cpu', { pinned: [0, 1] });
    const [onZero = 0, onOne = 0] = fleet.pids;
    await fleet.order('kill', onZero);
    // Nobody is bound to that CPU now.
    expect(await answersOn(0, fleet)).to.deep.equal([onOne]);
    expect(await answersOn(1, fleet)).to.deep.equal([onOne]);
    const next = await fleet.order('fork');
    expect(await answersOn(0, fleet)).to.deep.equal([next]);
    expect(await answersOn(1, fleet)).to.deep.equal([onOne]);
    await fleet.order('kill', onOne);
    const last = await fleet.order('fork');
    expect(await answersOn(0, fleet)).to.deep.equal([next]);
    expect(await answersOn(1, fleet)).to.deep.equal([last]);
    await fleet.end();
  });

  it('goes on with those that are left when there are fewer workers', async () => {
    const fleet = await startFleet('cpu', { workers: 3 });
    const [first = 0, second = 0, third = 0] = fleet.pids;
    await fleet.order('disconnect', first);
    const [ofZero, ofOne] = [await answersOn(0, fleet), await answersOn(1, fleet)];
    expect(ofZero).to.have.length(1);
    expect([...ofZero, ...ofOne].sort()).to.deep.equal([second, third].sort());
    await fleet.order('disconnect', third);
    expect(await answersOn(0, fleet)).to.deep.equal([second]);
    expect(await answersOn(1, fleet)).to.deep.equal([second]);
    const reports = await fleet.end();
    // None had to be passed on by the primary.
    for (const { connections } of reports.get(fleet.primary)?.listeners ?? []) expect(connections).to.equal(0);
  });
});
