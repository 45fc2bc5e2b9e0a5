import { expect } from 'chai';
import { content } from '../../support/files/content.js';
import { useScratch } from '../../support/files/scratch.js';
import { effort } from '../effort.js';
import { type Mode, type Served, withServed } from '../served.js';
import { pause, repeat } from '../talk.js';
import { tallyFigures } from '../tally.js';
import { slowReader } from './slow-reader.js';

const FILE = content(48 << 20);
const TIMEOUT = 400;

/** Milliseconds between two times that a slow reader reads. */
const REST = 50;

interface Way {
  readonly placeOf: (served: Served) => string | number;
  /** Read at a time, of up to 64 KB each: the larger the socket's buffer, the more until it counts as writable again. */
  readonly pieces: number;
}

const WAYS: Readonly<Record<string, Way>> = {
  TCP: { placeOf: ({ http }) => http, pieces: 6 },
  'a Unix socket': { placeOf: ({ unixHttp }) => unixHttp, pieces: 1 },
};

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

describe('the timeout of a response', () => {
  const scratch = useScratch();
  const readers = effort(40, 8);

  before(() => {
    scratch.file('file', FILE);
  });

  /** After how long each of some readers timed out, who read some pieces so many times, with a rest in between. */
  async function timeoutsOf(mode: Mode, placeOf: Way['placeOf'], pieces: number, times: number) {
    const { result, ended } = await withServed(mode, scratch.path('.'), async (served) => {
      await repeat(readers, readers, async () => {
        const reader = await slowReader(placeOf(served), `/length/file?timeout=${TIMEOUT}`);
        for (let time = 0; time < times && !reader.socket.destroyed; time++) {
          await pause(REST);
          reader.read(pieces);
        }
        if (times === 0) await pause(TIMEOUT * 4);
        reader.socket.destroy();
      });
      return (await served.state()).timeouts;
    });
    if (mode === 'tuned') expect(ended.report?.files.reroutedStreams).to.equal(readers);
    return result;
  }

  for (const [name, { placeOf, pieces }] of Object.entries(WAYS)) {
    it(`never ends a reader who is slow and steady, over ${name}`, async () => {
      const times = effort(80, 30);
      const stock = await timeoutsOf('stock', placeOf, pieces, times);
      const tuned = await timeoutsOf('tuned', placeOf, pieces, times);
      const note = `${tuned.length} timed out`;
      tallyFigures(`steady slow reader, ${name}`, readers, note, `${stock.length} timed out`);
      // As slow as possible. The kernel decides when the socket is writable again, and that must be before the timeout.
      expect(stock).to.have.length(0);
      expect(tuned).to.have.length(0);
    });

    it(`ends a reader who never reads, over ${name}, when stock Node does`, async () => {
      const stock = await timeoutsOf('stock', placeOf, 0, 0);
      const tuned = await timeoutsOf('tuned', placeOf, 0, 0);
      const describeTimes = (times: readonly number[]): string =>
        `${times.length} after ${median(times).toFixed(0)} ms`;
      tallyFigures(`reader that never reads, ${name}`, readers, describeTimes(tuned), describeTimes(stock));
      expect(stock).to.have.length(readers);
      expect(tuned).to.have.length(readers);
      expect(Math.min(...tuned)).to.be.at.least(Math.min(...stock) * 0.7);
      expect(median(tuned)).to.be.below(median(stock) * 3);
    });
  }
});
