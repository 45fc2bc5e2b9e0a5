import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { platform } from '../../../src/native/index.js';
import { ask, Load } from '../../cluster/load.js';
import { preloadFile } from '../../cluster/ways.js';
import { repository, writeApp } from '../../support/processes/scratch-project.js';
import { freePort } from '../../support/sockets/free-port.js';
import { effort } from '../effort.js';
import { tallyFigures } from '../tally.js';

const run = promisify(execFile);

/** Closes its server on SIGINT, as pm2's documentation asks. */
const source = `
const { createServer } = require('node:http');
const server = createServer((_, response) => response.end(String(process.pid))).listen(Number(process.env.APP_PORT), '127.0.0.1');
process.on('SIGINT', () => server.close(() => process.exit(0)));`;

/** pm2 from npm, in a directory that is kept. `undefined` if it cannot be installed. */
function fetchPm2(): string | undefined {
  const directory = join(repository, 'node_modules/.cache/socket-tune/pm2');
  const program = join(directory, 'node_modules/pm2/bin/pm2');
  if (existsSync(program)) return program;
  mkdirSync(directory, { recursive: true });
  try {
    const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--fetch-retries', '0'];
    execFileSync('npm', ['install', '--prefix', directory, ...options, 'pm2@7'], { stdio: 'pipe', timeout: 180_000 });
    return program;
  } catch (error) {
    process.stderr.write(`skipped, as pm2 cannot be had: ${String(error).split('\n')[0]}\n`);
    return undefined;
  }
}

interface Reloads {
  readonly answered: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly listeners: readonly number[];
}

describe('pm2 in cluster mode', () => {
  let pm2 = '';
  let home = '';
  let app = '';

  before(function () {
    if (process.platform !== 'linux') this.skip();
    pm2 = fetchPm2() ?? this.skip();
    home = mkdtempSync(join(tmpdir(), 'pm2-'));
    app = writeApp('pm2-app.cjs', source);
  });

  after(() => rmSync(home, { recursive: true, force: true }));

  /** One daemon, with an app of two processes: how many listen, and how its clients fare while it is reloaded. */
  async function reloads(isTuned: boolean, times: number): Promise<Reloads> {
    const port = await freePort();
    const inherited = Object.entries(process.env).filter(([name]) => !/^(?:SOCKET_TUNE|NODE_|npm_)/.test(name));
    const env = {
      ...Object.fromEntries(inherited),
      PM2_HOME: home,
      APP_PORT: String(port),
      ...(isTuned ? { SOCKET_TUNE_REUSEPORT: 'on' } : {}),
    };
    const command = (...args: readonly string[]) => run(process.execPath, [pm2, ...args], { env });
    const listeners: number[] = [];
    /** Wait until so many processes answer, and see how many sockets listen. */
    const look = async (processes: number): Promise<void> => {
      const known = new Set<unknown>();
      while (known.size < processes) known.add(await ask(port));
      listeners.push(platform().ports?.sockets(port, 'LISTEN')?.length ?? -1);
    };
    try {
      const nodeArgs = isTuned ? [`--node-args=--import=${preloadFile()}`] : [];
      await command('start', app, '--name', 'app', '-i', '2', ...nodeArgs);
      while (typeof (await ask(port)) !== 'string') await new Promise((resolve) => setTimeout(resolve, 20));
      await look(2);
      const load = new Load(port, 16);
      await load.more(100);
      for (let round = 0; round < times; round++) await command('reload', 'app');
      const { failures } = await load.end();
      const answered = load.answered;
      await look(2);
      await command('scale', 'app', '3');
      await look(3);
      await command('delete', 'app');
      expect(platform().ports?.sockets(port, 'LISTEN')).to.deep.equal([]);
      return { answered, failures, listeners };
    } finally {
      await command('kill');
    }
  }

  it('has a listener in each process, and reloads an app that closes its server without losing a connection', async () => {
    const times = effort(8, 2);
    const stock = await reloads(false, times);
    const tuned = await reloads(true, times);
    const lost = ({ failures }: Reloads): string => JSON.stringify(failures);
    tallyFigures('reloads by pm2 under load', times, `lost ${lost(tuned)}`, `lost ${lost(stock)}`);
    expect(stock.listeners).to.deep.equal([1, 1, 1]);
    expect(tuned.listeners).to.deep.equal([2, 2, 3]);
    expect(tuned.failures).to.deep.equal({});
  });
});
