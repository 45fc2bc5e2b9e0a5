import { join } from 'node:path';
import { expect } from 'chai';
import { content } from '../../support/files/content.js';
import { useScratch } from '../../support/files/scratch.js';
import { runNode } from '../../support/processes/node-process.js';
import { effort } from '../effort.js';
import { MODES, type Mode } from '../served.js';
import { tallyFigures } from '../tally.js';

const program = join(import.meta.dirname, 'descriptor-reuse-program.js');

interface Counts {
  readonly runs: number;
  /** The other file was opened with the number of the stream's descriptor. */
  readonly reused: number;
  /** The client received what is not in the file. */
  readonly foreign: number;
  /** That were left open. */
  readonly descriptors: number;
}

describe('a file whose stream is destroyed while its bytes are on their way', () => {
  const scratch = useScratch();

  async function run(mode: Mode, times: number) {
    const file = scratch.file('file', content(600_000));
    const other = scratch.file('other', content(600_000, 2));
    const args = [...MODES[mode], program, file, other, scratch.path(mode), String(times)];
    const { code, stdout, stderr, report } = await runNode(args, { timeout: 1_200_000 });
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    return { counts: JSON.parse(stdout) as Counts, files: report?.files };
  }

  it('is never mistaken for the file that gets the number of its descriptor', async () => {
    const times = effort(100_000, 2000);
    const stock = await run('stock', effort(10_000, 300));
    const { counts, files } = await run('tuned', times);
    const note = `${counts.foreign} with foreign bytes; the number was given away ${counts.reused} times; ${counts.descriptors} fds left`;
    tallyFigures('descriptor reuse', counts.runs, note, `${stock.counts.foreign} foreign`);
    expect(counts).to.include({ runs: times, foreign: 0, descriptors: 0 });
    expect(counts.reused).to.be.above(times / 2);
    expect(files?.reroutedStreams).to.be.above(times * 0.9);
  });
});
