import { join } from 'node:path';
import { expect } from 'chai';
import { content } from '../support/content.js';
import { runNode } from '../support/node-process.js';
import { useScratch } from '../support/scratch.js';
import { effort } from './effort.js';
import { MODES, type Mode } from './served.js';
import { repeat } from './talk.js';
import { tallyFigures } from './tally.js';

const program = join(import.meta.dirname, 'termination-program.js');

/** Ends itself when the first bytes of a file that it sends have arrived. */
const EXITING = `
const { createReadStream } = require('node:fs');
const { createServer, get } = require('node:http');
const server = createServer((_, response) => createReadStream(process.argv[1]).pipe(response));
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  get({ host: '127.0.0.1', port }, (response) => response.once('data', () => setImmediate(() => process.exit(7))));
});`;

describe('an end in mid-transfer', () => {
  const scratch = useScratch();
  let file = '';

  before(() => {
    file = scratch.file('file', content(40 << 20));
  });

  async function terminate(mode: Mode, times: number) {
    const { code, signal, stdout, stderr } = await runNode([...MODES[mode], program, file, String(times)], {
      timeout: 1_200_000,
    });
    expect({ code, signal, stderr }).to.deep.equal({ code: 0, signal: null, stderr: '' });
    return JSON.parse(stdout) as { terminations: number; whole: number; descriptors: number };
  }

  it('of a worker, by terminate() or its process.exit(), leaves the process and no descriptor', async () => {
    const times = effort(1000, 48);
    const stock = await terminate('stock', effort(100, 9));
    const tuned = await terminate('tuned', times);
    const note = `${tuned.descriptors} fds left; ${tuned.whole} had been through with the file`;
    tallyFigures('worker ends in mid-transfer', tuned.terminations, note, `${stock.descriptors} fds left`);
    expect(tuned.descriptors).to.be.at.most(Math.max(0, stock.descriptors));
    expect(tuned.whole).to.be.below(times / 2);
  });

  it('of the process, by process.exit(), has its exit code', async () => {
    const times = effort(100, 8);
    const ends: (number | string | null)[] = [];
    await repeat(times, 2, async () => {
      const { code, signal, stderr, report } = await runNode([...MODES.tuned, '-e', EXITING, file]);
      ends.push(signal ?? code);
      expect(stderr).to.equal('');
      expect(report?.files.reroutedStreams).to.equal(1);
    });
    tallyFigures('process.exit() in mid-transfer', times, `${ends.filter((end) => end === 7).length} with its code`);
    expect(ends.every((end) => end === 7)).to.equal(true);
  });
});
