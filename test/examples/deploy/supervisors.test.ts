import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import { configFromEnvironment } from '../../../src/config/config.js';
import { type NodeProcess, startNode } from '../../support/processes/node-process.js';
import { repository, scratchProject } from '../../support/processes/scratch-project.js';
import { skip } from '../../support/test-run/skipped.js';
import { until } from '../../support/until.js';

const DEPLOY = join(repository, 'examples/deploy');
const UNITS = join(DEPLOY, 'systemd');

/**
 * Holds a listener and starts the app with it, again and again, as systemd does. It never accepts: its event loop stands still while the
 * app runs.
 */
const HOLDER = `
const { spawnSync } = require('node:child_process');
const server = require('node:net').createServer().listen(0, '127.0.0.1', 4096, () => {
  const { fd } = server._handle;
  require('node:fs').writeSync(1, 'held ' + server.address().port + '\\n');
  for (let start = 0; start < 4; start++) {
    const app = ['-c', 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', 'sh', process.execPath, ...process.argv.slice(2)];
    spawnSync('sh', app, { stdio: ['ignore', 'inherit', 'inherit', fd] });
  }
  process.exit();
});
`;

interface Load {
  readonly answered: () => number;
  readonly stop: () => Promise<readonly string[]>;
}

/** Clients that ask on connections that are kept alive, one request after the other. */
function load(port: number, clients: number): Load {
  let answered = 0;
  let isOver = false;
  const lost: string[] = [];
  const askOnce = (agent: Agent): Promise<void> =>
    new Promise((resolve) => {
      const request = get({ host: '127.0.0.1', port, agent }, (response) => {
        response.resume().once('end', () => {
          answered++;
          resolve();
        });
      });
      request.once('error', (error) => {
        lost.push(error.message);
        resolve();
      });
    });
  const all = Array.from({ length: clients }, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!isOver) await askOnce(agent);
    agent.destroy();
  });
  const stop = async (): Promise<readonly string[]> => {
    isOver = true;
    await Promise.all(all);
    return lost;
  };
  return { answered: () => answered, stop };
}

function valuesOf(unit: string, key: string): string[] {
  return Array.from(unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm')), ([, value = '']) => value);
}

describe('the files for supervisors of examples/deploy', () => {
  it('are units that systemd takes', function () {
    if (spawnSync('systemd-analyze', ['--version']).error !== undefined) skip(this, 'there is no systemd-analyze here');
    if (!existsSync('/usr/bin/node')) skip(this, 'there is no /usr/bin/node here, which the unit names');
    const { status, stderr } = spawnSync(
      'systemd-analyze',
      ['verify', join(UNITS, 'app.service'), join(UNITS, 'app.socket')],
      {
        encoding: 'utf8',
      },
    );
    expect(stderr).not.to.match(/app\.(?:service|socket)/);
    expect(status).to.equal(0);
  });

  it('give the app longer to end than it takes, and set what is understood', () => {
    const unit = readFileSync(join(UNITS, 'app.service'), 'utf8');
    const pairs = valuesOf(unit, 'Environment').filter((pair) => pair.startsWith('SOCKET_TUNE'));
    const variables = new Map(pairs.map((pair) => pair.split('=') as [string, string]));
    expect(variables.size).to.be.above(0);
    expect(configFromEnvironment(variables).problems).to.deep.equal([]);
    const [stop] = valuesOf(unit, 'TimeoutStopSec');
    expect(Number(stop)).to.be.above(Number.parseInt(variables.get('SOCKET_TUNE_DRAIN') ?? '', 10));
    const { apps } = createRequire(import.meta.url)(join(DEPLOY, 'ecosystem.config.cjs'));
    expect(apps[0].kill_timeout).to.be.above(20_000);
    expect(existsSync(join(DEPLOY, apps[0].script))).to.equal(true);
  });

  it('restart an app whose listener systemd holds, and lose no request', async function () {
    if (process.platform !== 'linux') this.skip();
    cpSync(join(DEPLOY, 'app.js'), join(scratchProject(), 'activated/app.mjs'));
    writeFileSync(join(scratchProject(), 'holder.cjs'), HOLDER);
    const holder: NodeProcess = startNode(['holder.cjs', '--import', 'socket-tune/register', 'activated/app.mjs'], {
      env: { SOCKET_TUNE_DRAIN: '10s' },
    });
    const [, port] = await holder.until(/held (\d+)/);
    const clients = load(Number(port), 8);
    try {
      for (let restart = 0; restart < 3; restart++) {
        const enough = clients.answered() + 300;
        await until('the app answers', () => clients.answered() > enough);
        const { stdout } = spawnSync('pgrep', ['-P', String(holder.child.pid)], { encoding: 'utf8' });
        process.kill(Number(stdout), 'SIGTERM');
      }
      const enough = clients.answered() + 300;
      await until('the last one answers', () => clients.answered() > enough);
    } finally {
      expect(await clients.stop()).to.deep.equal([]);
      if (holder.child.pid !== undefined) process.kill(-holder.child.pid, 'SIGKILL');
    }
  });
});
