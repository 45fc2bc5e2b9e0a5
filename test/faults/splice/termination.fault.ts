import { join } from 'node:path';
import { expect } from 'chai';
import { runNode } from '../../support/processes/node-process.js';
import { effort } from '../effort.js';
import { MODES, type Mode } from '../served.js';
import { tallyFigures } from '../tally.js';

const program = join(import.meta.dirname, 'termination-program.js');

/** What termination-program.js prints. */
interface Figures {
  readonly terminations: number;
  readonly whole: number;
  readonly wrong: number;
  readonly spliced: number;
  readonly sockets: number;
  readonly pipes: number;
}

async function terminate(mode: Mode, times: number): Promise<Figures> {
  const { code, signal, stdout, stderr } = await runNode([...MODES[mode], program, String(times), mode], {
    timeout: 1_200_000,
    env: { SOCKET_TUNE_SPLICE: 'auto' },
  });
  expect({ code, signal, stderr }).to.deep.equal({ code: 0, signal: null, stderr: '' });
  return JSON.parse(stdout) as Figures;
}

describe('an end in the middle of a splice', () => {
  it('of a worker, by terminate() or its process.exit(), leaves the process and no descriptor', async () => {
    const times = effort(1000, 30);
    const stock = await terminate('stock', effort(100, 6));
    const tuned = await terminate('tuned', times);
    const left = `${tuned.sockets} sockets and ${tuned.pipes} ends of pipes left`;
    tallyFigures(
      'worker ends in mid-splice',
      tuned.terminations,
      `${left}; ${tuned.whole} had been through`,
      `${stock.sockets} sockets and ${stock.pipes} ends of pipes left`,
    );
    expect(tuned.sockets).to.be.at.most(Math.max(0, stock.sockets));
    expect(tuned.pipes).to.be.at.most(Math.max(0, stock.pipes));
    expect(tuned).to.include({ wrong: 0, spliced: times });
  });
});
