import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { useScratch } from './support/files/scratch.js';
import { repository } from './support/processes/scratch-project.js';

interface Run {
  readonly code: number | string;
  readonly output: string;
}

function urlOf(path: string): string {
  return JSON.stringify(pathToFileURL(join(import.meta.dirname, path)).href);
}

/** What the specs of these tests begin with. */
const IMPORTS = `
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { isInstalled } from ${urlOf('../src/first-use.js')};
import { install } from ${urlOf('support/test-run/installed.js')};
import { skip } from ${urlOf('support/test-run/skipped.js')};
`;

describe('a run of the tests', () => {
  const scratch = useScratch();

  function run(name: string, spec: string, ...options: readonly string[]): Promise<Run> {
    const file = scratch.file(`${name}.mjs`, IMPORTS + spec);
    const mocha = join(repository, 'node_modules/mocha/bin/mocha.js');
    const hooks = ['--require', join(import.meta.dirname, 'root-hooks.js')];
    const reporter = [
      '--reporter',
      join(import.meta.dirname, 'announcing-dots.js'),
      '--reporter-option',
      'time=no time',
    ];
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [mocha, '--no-config', ...hooks, ...reporter, ...options, file],
        (error, stdout, stderr) => {
          resolve({ code: error?.code ?? 0, output: stdout + stderr });
        },
      );
    });
  }

  it('says at the end what it had to run again, which leaves nothing behind either', async () => {
    const { code, output } = await run(
      'again',
      `let runs = 0;
      it('fails at first', () => {
        if (runs++ > 0) return;
        install({ noDelay: true });
        throw new Error('the first time');
      });
      it('finds nothing of it', () => {
        if (isInstalled()) throw new Error('it is installed');
      });`,
      '--retries',
      '1',
    );
    expect(code).to.equal(0);
    expect(output).to.include('run again, as it failed at first: fails at first (Error: the first time)');
    expect(output).to.include('2 passing');
  });

  it('has one failure where one test has failed, whatever that has left, and ends', async () => {
    const { code, output } = await run(
      'failing',
      `let child;
      it('leaves all that there is', () => {
        install({ noDelay: true });
        createServer().listen(0);
        child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)']);
        throw new Error('too early');
      });
      it('finds nothing of it', async () => {
        if (isInstalled()) throw new Error('it is installed');
        if (child.signalCode === null) await once(child, 'exit');
      });`,
    );
    expect(output).to.include('1 passing').and.include('1 failing').and.include('too early');
    expect(code).to.equal(1);
  });

  it('fails where a test leaves something, or prints something, which is no test’s failure', async () => {
    const { code, output } = await run(
      'leaving',
      `it('leaves it installed', () => void install({ noDelay: true }));
      it('warns', () => process.emitWarning('a warning'));
      it('prints', () => void process.stderr.write('a line'));
      it('is clean', () => { if (isInstalled()) throw new Error('it is installed'); });`,
    );
    expect(output).to.include('4 passing').and.include('1 failing');
    expect(output).to.include('leaves it installed has left: socket-tune installed');
    expect(output)
      .to.match(/warns has printed: Warning: a warning/)
      .and.include('prints has printed: a line');
    expect(code).to.equal(1);
  });

  it('says before how many tests there are and how long they take, and after why some were skipped', async () => {
    const { code, output } = await run(
      'announced',
      "it('one', () => 0); it('two', function () { skip(this, 'it rains'); });",
    );
    expect(output).to.match(/^\s*2 tests, no time\n\s*\.,\n/);
    expect(output).to.match(/1 passing.*\n.*1 pending\n\s*skipped, as it rains: two\n$/);
    expect(code).to.equal(0);
  });

  it('fails where something keeps its process alive, and says what', async () => {
    const { code, output } = await run('hanging', "it('goes on', () => void setInterval(() => 0, 1000));");
    expect(output)
      .to.include('1 passing')
      .and.match(/keeps their process alive: .*Timeout/);
    expect(code).to.equal(1);
  });
});
