import { expect } from 'chai';
import { content } from '../../support/files/content.js';
import { useScratch } from '../../support/files/scratch.js';
import { effort } from '../effort.js';
import { type Mode, type Served, type State, withServed } from '../served.js';
import { pause, repeat } from '../talk.js';
import { tallyFigures } from '../tally.js';
import { type SlowReader, slowReader } from './slow-reader.js';

const FILE = content(16 << 20);

/** Pieces that are read in one go, and the pause after, in milliseconds. */
const READS = 40;
const REST = 10;

interface Load {
  readonly fds: number;
  readonly bytes: number;
  readonly heap: number;
  readonly delays: State['delays'];
  readonly fdsLeft: number;
}

describe('slow readers, thousands of them', () => {
  const scratch = useScratch();

  async function load(mode: Mode, count: number): Promise<Load> {
    const { result, ended } = await withServed(mode, scratch.path('.'), async (served: Served) => {
      const before = await served.state();
      const readers: SlowReader[] = [];
      // Unix sockets, as their buffers do not grow to megabytes.
      await repeat(count, 50, async () => {
        readers.push(await slowReader(served.unixHttp, '/length/file'));
      });
      let during = await served.state();
      for (let fds = 0; fds !== during.fds; during = await served.state()) {
        fds = during.fds;
        await pause(300);
      }
      for (let round = 0; round < effort(1000, 80); round++) {
        for (let read = 0; read < READS; read++) readers[Math.floor(Math.random() * count)]?.read(1);
        await pause(REST);
      }
      const { delays } = await served.state();
      for (const { socket } of readers) socket.destroy();
      await pause(1500);
      const after = await served.state();
      return {
        fds: (during.fds - before.fds) / count,
        bytes: (during.rss - before.rss) / count,
        heap: (during.heapUsed + during.external - before.heapUsed - before.external) / count,
        delays,
        fdsLeft: after.fds - before.fds,
      };
    });
    expect(ended).to.include({ code: 0, stderr: '' });
    if (mode === 'tuned') expect(ended.report?.files.reroutedStreams).to.equal(count);
    return result;
  }

  it('cost two descriptors and a little memory each, and the others no time', async () => {
    scratch.file('file', FILE);
    const count = effort(5000, 1000);
    const stock = await load('stock', count);
    const tuned = await load('tuned', count);
    const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KB`;
    const describeLoad = ({ fds, bytes, heap, delays }: Load): string =>
      `${fds.toFixed(1)} fds, ${kilobytes(bytes)} RSS, ${kilobytes(heap)} heap each; loop p99 ${delays.p99.toFixed(1)} ms`;
    tallyFigures('slow readers', count, describeLoad(tuned), describeLoad(stock));
    expect(tuned.fds).to.be.at.most(2);
    expect(tuned.fdsLeft).to.equal(0);
    expect(tuned.bytes).to.be.below(Math.max(stock.bytes * 1.2, 16 << 10));
    expect(tuned.delays.p99).to.be.below(stock.delays.p99 * 3 + 5);
  });
});
