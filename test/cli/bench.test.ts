import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { useScratch } from '../support/scratch.js';
import { scratchProject } from '../support/scratch-project.js';

function bench(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const cli = join(scratchProject(), 'node_modules/socket-tune/dist/cli.js');
  return spawnSync(process.execPath, [cli, 'bench', ...args], { encoding: 'utf8' });
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
    const wrong = bench('--only', 'fils');
    expect(wrong).to.include({ status: 2, stdout: '' });
    expect(wrong.stderr).to.include("no scenario 'fils': files, ");
  });

  it('measures, and writes the results, as Markdown and as a page too', () => {
    const out = scratch.path('out');
    const { status, stdout, stderr } = bench('--quick', '--only', 'tcp-info', '--out', out);
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    expect(stdout).to.include('tcpInfo(socket) of 1000 connections');
    const { version, scenarios } = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'));
    expect(version).to.match(/^\d+\.\d+\.\d+/);
    expect(scenarios[0].comparisons[0].series[0].points[0].samples).to.have.length.greaterThan(5);
    expect(readFileSync(join(out, 'results.md'), 'utf8')).to.include('## tcp-info');
    expect(readFileSync(join(out, 'index.html'), 'utf8')).to.include('<svg');
  });

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
    expect(has('bench/LICENCES.txt')).to.include('@observablehq/plot').and.include('Mike Bostock');
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
