import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { BY_IMPORT, type NodeProcess, startNode } from '../../support/processes/node-process.js';
import { skip } from '../../support/test-run/skipped.js';
import { until } from '../../support/until.js';
import { makeRoutedNetwork, type RoutedNetwork, routedNetworkObstacle } from '../peers/routed-network.js';
import { DATABASES, type Database, type Driver, isInstalled, prepareDatabase, startDatabase } from './server.js';

const SET_SECONDS = 5;

/** Of the set time. */
const MOST = 1.2;

const NAMES = ['idle', 'unacknowledged', 'waiting'];

interface Told {
  readonly name: string;
  readonly code?: string;
  readonly milliseconds: number;
}

/** An app, and what it has told of its connections. */
interface App {
  readonly process: NodeProcess;
  told(what: 'end' | 'answered'): readonly Told[];
}

/** Whether every thread of a process has stopped. After SIGSTOP some may go on for a moment, and answer. */
function isStopped(pid: number | undefined): boolean {
  const threads = `/proc/${pid}/task`;
  return readdirSync(threads).every((id) => /\) [Tt] /.test(readFileSync(join(threads, id, 'stat'), 'latin1')));
}

for (const driver of Object.keys(DATABASES) as Driver[]) {
  describe(`connections by ${driver} to a database`, () => {
    const closing: (() => void)[] = [];
    let network: RoutedNetwork;
    let database: Database;

    let directory = '';

    before(function () {
      this.timeout(120_000);
      const why = isInstalled(driver) ? routedNetworkObstacle() : `${DATABASES[driver].program} is not installed`;
      if (why !== undefined) skip(this, why);
      directory = prepareDatabase(driver);
    });

    after(() => {
      if (directory !== '') rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    });

    beforeEach(async () => {
      network = makeRoutedNetwork();
      closing.push(network.close);
      database = await startDatabase(driver, directory, network.address, network.there);
      closing.unshift(database.close);
    });

    afterEach(() => {
      for (const close of closing.splice(0)) close();
    });

    async function startApp(isTuned: boolean): Promise<App> {
      const program = join(import.meta.dirname, 'app.js');
      const args = [...(isTuned ? BY_IMPORT : []), program, driver, network.address, String(database.port)];
      const process = startNode(args, {
        env: isTuned ? { SOCKET_TUNE_CONNECT_DEAD_PEER: `${SET_SECONDS}s` } : {},
        timeout: 100_000,
      });
      closing.unshift(() => process.child.kill('SIGKILL'));
      let text = '';
      process.child.stdout?.on('data', (data: string) => {
        text += data;
      });
      await process.until(/^ready$/m);
      // Until the guard is set, and the question is acknowledged.
      await sleep(1500);
      const told = (what: 'end' | 'answered'): readonly Told[] =>
        Array.from(text.matchAll(new RegExp(`^${what} (.*)$`, 'gm')), ([, json = '']) => JSON.parse(json) as Told);
      return { process, told };
    }

    for (const way of ['cut', 'forget'] as const) {
      const what = way === 'cut' ? 'whose cable is cut' : 'that a router on the way has forgotten';
      it(`${what} end in the set time and a fifth of it; in stock Node they hang`, async () => {
        const [stock, tuned] = await Promise.all([startApp(false), startApp(true)]);
        network[way]();
        for (const { process } of [stock, tuned]) process.child.kill('SIGUSR2');
        await until('all have ended', () => tuned.told('end').length === NAMES.length);
        const ends = [...tuned.told('end')].sort((one, other) => one.name.localeCompare(other.name));
        expect(ends.map(({ name }) => name)).to.deep.equal(NAMES);
        for (const { name, code, milliseconds } of ends) {
          expect(code, name).to.equal('ETIMEDOUT');
          expect(milliseconds, name).to.be.at.most(SET_SECONDS * 1000 * MOST);
        }
        expect([...stock.told('end'), ...stock.told('answered')]).to.deep.equal([]);
      });
    }

    it('whose process is stopped for three times the set time are alive, and answered when it goes on', async () => {
      const { process, told } = await startApp(true);
      database.child.kill('SIGSTOP');
      await until('the database has stopped', () => isStopped(database.child.pid));
      process.child.kill('SIGUSR2');
      await sleep(SET_SECONDS * 3000);
      expect([...told('end'), ...told('answered')]).to.deep.equal([]);
      database.child.kill('SIGCONT');
      process.child.kill('SIGWINCH');
      await until('both are answered', () => told('answered').length === 2);
      expect(told('end')).to.deep.equal([]);
    });
  });
}
