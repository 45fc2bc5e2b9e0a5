import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { useScratch } from '../support/files/scratch.js';

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url));

function main(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
}

describe('npm run bench', () => {
  const scratch = useScratch();

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  it('measures with another Node, whose results have a file of their own', () => {
    const out = scratch.path('out');
    const { status, stderr } = main('--quick', '--only', 'tcp-info', '--node', process.execPath, '--out', out);
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    const file = `node-${process.versions.node.split('.')[0]}.json`;
    expect(readdirSync(out).sort()).to.deep.equal(['index.html', file, 'results.md']);
    expect(JSON.parse(readFileSync(join(out, file), 'utf8')).machine.node).to.equal(process.version);
  });

  it('says of what is no Node that it is none', () => {
    const { status, stderr } = main('--node', scratch.path('nowhere'));
    expect(status).to.equal(2);
    expect(stderr).to.match(/^--node .*nowhere: no such Node$/m);
    expect(main('--json', '--node', process.execPath, '--node', process.execPath)).to.include({ status: 2 });
  });

  it('says what it understands, and what it does not', () => {
    const help = main('--help');
    expect(help).to.include({ status: 0, stderr: '' });
    for (const word of ['--quick', '--from <file>', 'tcp-info', 'frameworks', 'dead-peer']) {
      expect(help.stdout).to.include(word);
    }
    for (const wrong of ['--quik', 'tcp-info', '--out']) {
      const { status, stdout, stderr } = main(wrong);
      expect({ status, stdout }, wrong).to.deep.equal({ status: 2, stdout: '' });
      expect(stderr, wrong).to.match(/^error: /);
    }
  });

  it('makes the pages of earlier runs anew', () => {
    const [first, again] = [scratch.path('first'), scratch.path('again')];
    expect(main('--quick', '--only', 'tcp-info', '--out', first)).to.include({ status: 0 });
    const files = readdirSync(first).filter((name) => name.endsWith('.json'));
    expect(main('--from', join(first, files[0] ?? ''), '--out', again)).to.include({ status: 0 });
    for (const name of readdirSync(first)) {
      expect(readFileSync(join(again, name), 'utf8'), name).to.equal(readFileSync(join(first, name), 'utf8'));
    }
  });
});
