import { join } from 'node:path';
import { expect } from 'chai';
import { type EndedProcess, runNode } from '../support/processes/node-process.js';
import { compare, type Item } from './oracle.js';
import { bytesOf, framedLength } from './session/bytes.js';
import { generate } from './session/generate.js';
import type { Session, Step } from './session/program.js';
import { Random } from './session/random.js';

function fuzz(...args: readonly string[]): Promise<EndedProcess> {
  return runNode([join(import.meta.dirname, 'main.js'), ...args], { timeout: 120_000 });
}

function stepsOf({ connections }: Session): Step[] {
  return connections.flatMap(({ exchanges }) => exchanges.flatMap(({ steps }) => steps));
}

const FILE: Item = { what: 'file', bytes: Buffer.from('0123456789') };
const AHEAD: Item = { what: 'write', bytes: Buffer.from('ahead ') };

function shared(shortest: number, from = 0): Item {
  return { ...FILE, shared: { from, bytes: Buffer.from('abcdefghij'), zeros: true, shortest } };
}

describe('the random sessions', () => {
  it('are as the package is meant to serve them', async function () {
    this.timeout(120_000);
    const { code, stdout, stderr } = await fuzz('--seconds', '5', '--seed', '13');
    expect({ code, stderr }, stdout).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(/^seed 13, Node v\S+, tuned: \d+ sessions, 0 wrong/);
    expect(stdout).to.match(/^[1-9]\d* streams rerouted/m);
  });

  it('are as Node serves them, without the package', async function () {
    this.timeout(120_000);
    const { code, stdout, stderr } = await fuzz('--seconds', '3', '--seed', '13', '--stock');
    expect({ code, stderr }, stdout).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(/^seed 13, Node v\S+, stock: [1-9]\d* sessions, 0 wrong/);
  });

  it('are the same for the same seed, and others for another', () => {
    expect(generate(1, 5)).to.deep.equal(generate(1, 5));
    expect(generate(1, 5)).not.to.deep.equal(generate(2, 5));
    expect(generate(1, 5)).not.to.deep.equal(generate(1, 6));
    const numbers = (random: Random): number[] => Array.from({ length: 5 }, () => random.next());
    expect(numbers(new Random(1, 2))).to.deep.equal(numbers(new Random(1, 2)));
    expect(numbers(new Random(1, 2))).not.to.deep.equal(numbers(new Random(2, 1)));
  });

  it('survive JSON, halves of surrogate pairs and all', () => {
    for (let number = 0; number < 50; number++) {
      const session = generate(3, number);
      expect(JSON.parse(JSON.stringify(session))).to.deep.equal(session);
    }
  });

  it('have every kind of file, write and change among the first few hundred', () => {
    const steps = Array.from({ length: 300 }, (_, number) => stepsOf(generate(4, number))).flat();
    const files = steps.filter((step) => step.do === 'file');
    const texts = steps.flatMap((step) => (step.do === 'write' && step.data.as === 'string' ? [step.data] : []));
    const changes = files.flatMap(({ change }) => (change === undefined ? [] : [change.what]));
    expect(new Set(files.map(({ by, via }) => `${by} ${via}`)).size).to.equal(9);
    expect(new Set(texts.map(({ encoding }) => encoding)).size).to.equal(12);
    expect(new Set(changes).size).to.equal(5);
    expect(texts.some((data) => framedLength(data) !== bytesOf(data).length)).to.equal(true);
    expect(files.some(({ highWaterMark }) => highWaterMark === 0)).to.equal(true);
  });
});

describe('the oracle of the random sessions', () => {
  it('takes what was written', () => {
    expect(compare(Buffer.from('ahead 0123456789'), [AHEAD, FILE], true)).to.equal(undefined);
  });

  it('finds the first byte that is another, that is missing, or that is too much', () => {
    expect(compare(Buffer.from('ahead 01234_6789'), [AHEAD, FILE], true)).to.include({ offset: 11, what: 'file' });
    expect(compare(Buffer.from('ahead 012345678'), [AHEAD, FILE], true)).to.include({ offset: 15 });
    expect(compare(Buffer.from('ahead 0123456789!'), [AHEAD, FILE], true)).to.include({ offset: 16, got: '21' });
    expect(compare(Buffer.from('ahead\0 0123456789'), [AHEAD, FILE], true)).to.include({
      offset: 5,
      got: '002030313233343536373839',
    });
  });

  it('takes the new bytes of a shared file, or zeros, where they may be', () => {
    expect(compare(Buffer.from('0123efg\0\0\0'), [shared(10)], true)).to.equal(undefined);
    expect(compare(Buffer.from('0123efg\0\0\0'), [FILE], true)).to.include({ offset: 4 });
    expect(compare(Buffer.from('0123efg\0\0\0'), [shared(10, 5)], true)).to.include({ offset: 4 });
    expect(compare(Buffer.from('0123efgx\0\0'), [shared(10)], true)).to.include({ offset: 7 });
  });

  it('takes a shared file that ends early, and what follows it', () => {
    expect(compare(Buffer.from('01234567ahead '), [shared(8), AHEAD], true)).to.equal(undefined);
    expect(compare(Buffer.from('0123456ahead '), [shared(8), AHEAD], true)).to.include({ offset: 7 });
  });

  it('takes the beginning of what has broken off, and nothing else', () => {
    expect(compare(Buffer.from('ahead 012'), [AHEAD, FILE], false)).to.equal(undefined);
    expect(compare(Buffer.from('ahead 021'), [AHEAD, FILE], false)).to.include({ offset: 7 });
  });
});
