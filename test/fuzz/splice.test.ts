import { join } from 'node:path';
import { expect } from 'chai';
import { type EndedProcess, runNode } from '../support/processes/node-process.js';
import { generate } from './splice/generate.js';
import { compare } from './splice/judge.js';

function fuzz(...args: readonly string[]): Promise<EndedProcess> {
  return runNode([join(import.meta.dirname, 'splice/main.js'), ...args], { timeout: 120_000 });
}

describe('the random pipes between sockets', () => {
  it('bring what stock Node would bring', async function () {
    if (process.platform !== 'linux') this.skip();
    this.timeout(120_000);
    const { code, stdout, stderr } = await fuzz('--seconds', '5', '--seed', '13');
    expect({ code, stderr }, stdout).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(/^seed 13, Node v\S+, tuned: [1-9]\d* sessions, 0 wrong/);
    expect(stdout).to.match(/^[1-9]\S* MB by splice$/m);
  });

  it('are as Node pipes them, without the package', async function () {
    this.timeout(120_000);
    const { code, stdout, stderr } = await fuzz('--seconds', '3', '--seed', '13', '--stock');
    expect({ code, stderr }, stdout).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(/^seed 13, Node v\S+, stock: [1-9]\d* sessions, 0 wrong/);
  });

  it('are the same for the same seed, and have every act', () => {
    expect(generate(1, 5)).to.deep.equal(generate(1, 5));
    expect(generate(1, 5)).not.to.deep.equal(generate(1, 6));
    const sessions = Array.from({ length: 200 }, (_, number) => generate(4, number));
    const acts = sessions.flatMap(({ lines }) =>
      lines.flatMap(({ operations }) => operations.map(({ act }) => act.what)),
    );
    expect(new Set(acts).size).to.equal(10);
  });

  it('are compared byte for byte', () => {
    const expected = Buffer.from('0123456789');
    expect(compare('it', expected, expected, true)).to.equal(undefined);
    expect(compare('it', Buffer.from('01234'), expected, false)).to.equal(undefined);
    expect(compare('it', Buffer.from('01234'), expected, true)).to.match(/^it: 5 bytes of 10/);
    expect(compare('it', Buffer.from('0123x'), expected, false)).to.equal('it: 5 bytes of 10, wrong from 4');
    expect(compare('it', Buffer.from('01234567899'), expected, false)).to.match(/^it: 11 bytes of 10/);
  });
});
