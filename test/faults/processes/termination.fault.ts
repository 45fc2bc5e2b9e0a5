import { join } from 'node:path';
import { expect } from 'chai';
import { content } from '../../support/files/content.js';
import { useScratch } from '../../support/files/scratch.js';
import { runNode } from '../../support/processes/node-process.js';
import { effort } from '../effort.js';
import { MODES, type Mode } from '../served.js';
import { repeat } from '../talk.js';
import { tallyFigures } from '../tally.js';

const program = join(import.meta.dirname, 'termination-program.js');

/** An app that exits when the first bytes of a file that it sends have arrived. */
const EXITING = `
const { createReadStream } = require('node:fs');
const { createServer, get } = require('node:http');
const server = createServer((_, response) => createReadStream(process.argv[1]).pipe(response));
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  get({ host: '127.0.0.1', port }, (response) => response.once('data', () => setImmediate(() => process.exit(7))));
});`;

/** What termination-program.js prints. */
interface Figures {
  readonly terminations: number;
  readonly whole: number;
  readonly bySendfile: number;
  readonly tuned: number;
  readonly descriptors: number;
  readonly sockets: number;
  readonly rss: readonly number[];
}

describe('an end in mid-transfer', () => {
  const scratch = useScratch();
  let file = '';

  before(() => {
    file = scratch.file('file', content(40 << 20));
  });

  async function terminate(mode: Mode, how: 'transfer' | 'idle', times: number): Promise<Figures> {
    const { code, signal, stdout, stderr } = await runNode([...MODES[mode], program, file, String(times), how, mode], {
      timeout: 1_200_000,
    });
    expect({ code, signal, stderr }).to.deep.equal({ code: 0, signal: null, stderr: '' });
    return JSON.parse(stdout) as Figures;
  }

  /** Kilobytes of memory, from the first worker's end on. */
  function memoryOf({ rss }: Figures): string {
    return `memory ${rss.map((kilobytes) => Math.round(kilobytes / 1024)).join(', ')} MB`;
  }

  it('of a worker, by terminate() or its process.exit(), leaves the process and no descriptor', async () => {
    const times = effort(1000, 48);
    const stock = await terminate('stock', 'transfer', effort(100, 9));
    const tuned = await terminate('tuned', 'transfer', times);
    const left = `${tuned.descriptors} fds and ${tuned.sockets} sockets left`;
    const note = `${left}; ${tuned.whole} had been through with the file; ${memoryOf(tuned)}`;
    tallyFigures('worker ends in mid-transfer', tuned.terminations, note, `${stock.descriptors} fds left`);
    expect(tuned.descriptors).to.be.at.most(Math.max(0, stock.descriptors));
    expect(tuned.sockets).to.be.at.most(Math.max(0, stock.sockets));
    expect(tuned.whole).to.be.below(times / 2);
    // Each had accepted its connection under socket-tune, and was sending by sendfile.
    expect([tuned.tuned, tuned.bySendfile]).to.deep.equal([times, times]);
  });

  it('of a worker that listens, with and without connections, leaves the process and no descriptor', async () => {
    const times = effort(300, 30);
    const stock = await terminate('stock', 'idle', effort(60, 12));
    const tuned = await terminate('tuned', 'idle', times);
    const note = `${tuned.descriptors} fds and ${tuned.sockets} sockets left; ${memoryOf(tuned)}`;
    tallyFigures('worker ends while it listens', tuned.terminations, note, `${stock.descriptors} fds left`);
    expect(tuned.descriptors).to.be.at.most(Math.max(0, stock.descriptors));
    expect(tuned.sockets).to.be.at.most(Math.max(0, stock.sockets));
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
