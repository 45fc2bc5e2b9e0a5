import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { expect } from 'chai';
import { content } from '../support/files/content.js';
import { useScratch } from '../support/files/scratch.js';
import { effort } from './effort.js';
import { type Served, withServed } from './served.js';
import { get, repeat, talk } from './talk.js';
import { countVerdicts, tally } from './tally.js';
import { exactly, judgeResponses, type Verdict } from './verdict.js';

const FILE = content(64 << 20);
const GIB = 2 ** 30;
const SPARSE_SIZE = 5 * GIB + 12_345;
const MARK = content(3 << 20, 9);

/** The parts of the sparse file that have data: across 2³¹ and 2³², and at its end. */
const MARKS = [2 * GIB, 4 * GIB, SPARSE_SIZE - MARK.length / 2].map((middle) => middle - MARK.length / 2);

/** The bytes of the sparse file from `start` on. */
function sparseBytes(start: number, count: number): Buffer {
  const bytes = Buffer.alloc(count);
  for (const mark of MARKS) {
    const [from, to] = [Math.max(start, mark), Math.min(start + count, mark + MARK.length)];
    if (from < to) MARK.copy(bytes, from - start, from - mark, to - mark);
  }
  return bytes;
}

/** As many short ranges as long ones. */
function randomLength(most: number): number {
  return Math.max(1, Math.floor(most ** Math.random()));
}

describe('ranges of a large file', () => {
  const scratch = useScratch();

  before(() => {
    scratch.file('large', FILE);
    const fd = openSync(scratch.path('sparse'), 'w');
    ftruncateSync(fd, SPARSE_SIZE);
    for (const mark of MARKS) writeSync(fd, MARK, 0, MARK.length, mark);
    closeSync(fd);
  });

  async function fetchAll(name: string, times: number, next: () => [number, number], bytesOf: typeof sparseBytes) {
    const verdicts: Verdict[] = [];
    const { ended } = await withServed('tuned', scratch.path('.'), async ({ http, unixHttp }: Served) => {
      await repeat(times, 4, async (index) => {
        const [start, count] = next();
        const path = `/${index % 2 ? 'length' : 'chunked'}/${name}?start=${start}&end=${start + count - 1}`;
        const answer = await talk(index % 3 ? http : unixHttp, get(path, false) + get('/second'));
        verdicts.push(judgeResponses(answer, exactly(bytesOf(start, count))));
      });
    });
    expect(ended).to.include({ code: 0, stderr: '' });
    expect(ended.report?.files.sendfileBytes).to.be.above(0);
    return countVerdicts(verdicts);
  }

  it('at random are what an oracle says', async () => {
    const times = effort(10_000, 500);
    const next = (): [number, number] => {
      const start = Math.floor(Math.random() * FILE.length);
      return [start, Math.min(randomLength(4 << 20), FILE.length - start)];
    };
    const counts = await fetchAll('large', times, next, (start, count) => FILE.subarray(start, start + count));
    tally('random ranges of 64 MB', counts);
    expect(counts.identical).to.equal(times);
  });

  it('across 2³¹ and 2³² of a sparse file of 5 GiB are what an oracle says', async () => {
    const times = effort(2000, 100);
    let turn = 0;
    const next = (): [number, number] => {
      const mark = MARKS[turn++ % MARKS.length] ?? 0;
      const start = mark + Math.floor((Math.random() * MARK.length) / 2) - 100_000;
      const least = turn % 3 === 0 ? 1 : MARK.length / 2;
      return [start, Math.min(Math.floor(least + Math.random() * MARK.length), SPARSE_SIZE - start)];
    };
    const counts = await fetchAll('sparse', times, next, sparseBytes);
    tally('ranges across 2^31 and 2^32 of 5 GiB', counts);
    expect(counts.identical).to.equal(times);
  });
});
