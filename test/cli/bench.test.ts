import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { useScratch } from '../support/files/scratch.js';
import { scratchProject } from '../support/processes/scratch-project.js';

function command(args: readonly string[]): string[] {
  return [join(scratchProject(), 'node_modules/socket-tune/dist/cli.js'), 'bench', ...args];
}

function bench(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, command(args), { encoding: 'utf8' });
}

/** Of the Node that runs this. */
const RESULTS = `node-${process.versions.node.split('.')[0]}.json`;

/** What a process has written to its output, and errors, in the end; `act` is called as soon as it has written that. */
async function outputOf(child: ChildProcess, awaited: string, act: () => void): Promise<string> {
  let output = '';
  let hasActed = false;
  const add = (chunk: unknown): void => {
    output += String(chunk);
    if (hasActed || !output.includes(awaited)) return;
    hasActed = true;
    act();
  };
  child.stdout?.on('data', add);
  child.stderr?.on('data', add);
  await once(child, 'close');
  return output;
}

describe('socket-tune bench, from the package', () => {
  const scratch = useScratch();

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  it('names what it can measure, and what it cannot', () => {
    const { status, stdout } = bench('--list');
    expect(status).to.equal(0);
    for (const scenario of ['files', 'link', 'apply']) expect(stdout).to.match(new RegExp(`^${scenario} +[a-z]`, 'm'));
    // The words of this project's own history say nothing to a user.
    expect(stdout).not.to.match(/the seed|reproduced|looking at/);
    expect(stdout)
      .to.match(/^limits .*\(only by name\)$/m)
      .and.match(/all of them run, but for those that run only by name\.$/m);
    const wrong = bench('--only', 'fils');
    expect(wrong).to.include({ status: 2, stdout: '' });
    expect(wrong.stderr).to.include("no scenario 'fils': files, ");
  });

  it('measures, and writes the results, as Markdown and as a page too', () => {
    const out = scratch.path('out');
    const { status, stdout, stderr } = bench('--quick', '--only', 'tcp-info', '--out', out);
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    expect(stdout).to.include('tcpInfo(socket) of 1000 connections');
    expect(stdout).to.match(/^\[1 of 1\] tcp-info: about \d+ s \(on an idle machine\)$/m);
    const { version, scenarios } = JSON.parse(readFileSync(join(out, RESULTS), 'utf8'));
    expect(version).to.match(/^\d+\.\d+\.\d+/);
    expect(scenarios[0].comparisons[0].series[0].points[0].samples).to.have.length.greaterThan(5);
    expect(readFileSync(join(out, 'results.md'), 'utf8')).to.include('## tcp-info');
    expect(readFileSync(join(out, 'index.html'), 'utf8')).to.include('<svg');
  });

  // From a terminal, a signal ends what the benchmarks have started as well.
  for (const whom of ['the process', 'its whole group'] as const) {
    it(`keeps what it has when SIGINT ends ${whom}, and ends as it would have`, async () => {
      const out = scratch.path('interrupted');
      const args = command(['--quick', '--only', 'tcp-info', '--only', 'accept', '--only', 'start-up', '--out', out]);
      const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
      const target = (child.pid ?? 0) * (whom === 'the process' ? 1 : -1);
      const output = await outputOf(child, '[2 of 3] accept', () => process.kill(target, 'SIGINT'));
      expect(child.signalCode, output).to.equal('SIGINT');
      expect(output).to.include('SIGINT: interrupted before these were measured: accept, start-up');
      const { scenarios, failed, interrupted } = JSON.parse(readFileSync(join(out, RESULTS), 'utf8'));
      expect(scenarios.map(({ name }: { name: string }) => name)).to.deep.equal(['tcp-info']);
      expect({ failed, interrupted }).to.deep.equal({ failed: [], interrupted: ['accept', 'start-up'] });
      expect(readFileSync(join(out, 'results.md'), 'utf8')).to.include('the run was interrupted before');
    });
  }

  it('prints nothing but JSON with --json', () => {
    const { stdout } = bench('--quick', '--only', 'tcp-info', '--json');
    expect(JSON.parse(stdout)).to.include({ quick: true });
  });

  it('brings what its scenarios run, and costs the other commands nothing', () => {
    const directory = join(scratchProject(), 'node_modules/socket-tune/dist');
    const has = (path: string): string => readFileSync(join(directory, path), 'utf8');
    for (const path of [
      'client-process.js',
      'apply-process.js',
      'apps/file-server.js',
      'apps/sendfile-loop.c',
      'link/link.c',
    ])
      expect(has(`bench/${path}`), path).not.to.equal('');
    expect(has('LICENCES.txt')).to.include('@observablehq/plot').and.include('Mike Bostock');
    // Each module that is loaded is a line there.
    const trace = { ...process.env, NODE_DEBUG: 'esm' };
    const said = spawnSync(process.execPath, [join(directory, 'cli.js'), '--version'], {
      encoding: 'utf8',
      env: trace,
    });
    expect(said.stderr).to.include('cli.js');
    expect(said.stderr).not.to.include('dist/bench');
  });
});
