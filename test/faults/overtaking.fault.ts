import { expect } from 'chai';
import { content } from '../support/files/content.js';
import { useScratch } from '../support/files/scratch.js';
import { effort } from './effort.js';
import { type Served, withServed } from './served.js';
import { get, repeat, talk } from './talk.js';
import { countVerdicts, tally } from './tally.js';
import { exactly, judgeResponses, type Verdict } from './verdict.js';

const FILE = content(5 << 20);
const AHEAD = 16 << 20;

describe('a file behind 16 MB that were written before it', () => {
  const scratch = useScratch();

  it('does not overtake them, whenever the reader begins', async () => {
    scratch.file('file', FILE);
    const expected = exactly(Buffer.concat([Buffer.alloc(AHEAD, 'h'), FILE]));
    const times = effort(200, 16);
    const verdicts: Verdict[] = [];
    const { ended } = await withServed('tuned', scratch.path('.'), async ({ http, unixHttp }: Served) => {
      await repeat(times, 4, async (index) => {
        const requests = get(`/${index % 2 ? 'length' : 'chunked'}/file?ahead=${AHEAD}`, false) + get('/second');
        const answer = await talk(index % 3 ? http : unixHttp, requests, { readAfter: 1 + Math.random() * 150 });
        verdicts.push(judgeResponses(answer, expected));
      });
    });
    const counts = countVerdicts(verdicts);
    tally('16 MB written ahead, blocked reader', counts);
    expect(counts.identical).to.equal(times);
    expect(ended.report?.files.sendfileBytes).to.be.above(0);
  });
});
