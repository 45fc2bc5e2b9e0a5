import { closeSync, openSync } from 'node:fs';
import { expect } from 'chai';
import { content } from '../../support/files/content.js';
import { cachedPages, evict } from '../../support/files/page-cache.js';
import { useScratch } from '../../support/files/scratch.js';
import { skip } from '../../support/test-run/skipped.js';
import { effort } from '../effort.js';
import { type Mode, withServed } from '../served.js';
import { get, talk } from '../talk.js';
import { countVerdicts, tally, tallyFigures } from '../tally.js';
import { exactly, judgeResponses, type Verdict } from '../verdict.js';
import { latenciesUntil, p99 } from './latency.js';
import { type Throttle, throttleReads } from './throttle.js';

const SPEED = 4 << 20;
const FILE = content(effort(12 << 20, 6 << 20));

describe('a file on a slow disk, and not in the page cache', () => {
  const scratch = useScratch();

  /** Download the file, cold, beside small requests. */
  async function download(mode: Mode, file: string) {
    const fd = openSync(file, 'r');
    evict(fd);
    const isCold = cachedPages(fd, FILE.length).filter(Boolean).length < 10;
    closeSync(fd);
    if (!isCold) return 'its file system keeps files in memory';
    const throttle = throttleReads(file, SPEED);
    if (typeof throttle === 'string') return throttle;
    try {
      return await downloadSlowly(mode, throttle);
    } finally {
      throttle.remove();
    }
  }

  async function downloadSlowly(mode: Mode, throttle: Throttle) {
    const { result, ended } = await withServed(mode, scratch.path('.'), async (served) => {
      throttle.add(served.pid);
      let verdict: Verdict = 'hang';
      const began = performance.now();
      const downloaded = talk(served.http, get('/length/file', false) + get('/second')).then((answer) => {
        verdict = judgeResponses(answer, exactly(FILE));
      });
      await served.state();
      const latencies = await latenciesUntil(served.http, downloaded);
      const seconds = (performance.now() - began) / 1e3;
      return { verdict, latencies, seconds, loop: (await served.state()).delays.p99 };
    });
    expect(ended).to.include({ code: 0, stderr: '' });
    return { ...result, files: ended.report?.files };
  }

  it('does not hold up small requests', async function () {
    this.retries(2);
    const file = scratch.file('file', FILE);
    const rounds = effort(5, 1);
    const verdicts: Verdict[] = [];
    const of: Record<Mode, number[]> = { stock: [], tuned: [] };
    const loops: Record<Mode, number[]> = { stock: [], tuned: [] };
    for (let round = 0; round < rounds; round++) {
      for (const mode of ['stock', 'tuned'] as const) {
        const result = await download(mode, file);
        if (typeof result === 'string') return skip(this, `reads cannot be slowed down here (${result})`);
        of[mode].push(...result.latencies);
        loops[mode].push(result.loop);
        // The disk was slow, indeed.
        expect(result.seconds).to.be.above(FILE.length / SPEED / 3);
        if (mode === 'stock') continue;
        verdicts.push(result.verdict);
        expect(result.files?.notRerouted).to.have.property('not-resident').that.is.above(0);
      }
    }
    const describeMode = (mode: Mode): string =>
      `p99 ${p99(of[mode]).toFixed(2)} ms of ${of[mode].length} small requests, loop p99 ${Math.max(...loops[mode]).toFixed(2)} ms`;
    tally('cold file, disk of 4 MB/s', countVerdicts(verdicts), {
      note: describeMode('tuned'),
      stock: describeMode('stock'),
    });
    expect(verdicts.every((verdict) => verdict === 'identical')).to.equal(true);
    expect(p99(of.tuned)).to.be.below(p99(of.stock) * 5 + 2);
  });

  it('that is fast, with one client that takes all it gets, does not keep the loop to itself', async () => {
    scratch.file('warm', content(64 << 20, 3));
    const times = effort(40, 3);
    const delays: Record<Mode, string> = { stock: '', tuned: '' };
    const values: Record<Mode, number> = { stock: 0, tuned: 0 };
    for (const mode of ['stock', 'tuned'] as const) {
      await withServed(mode, scratch.path('.'), async (served) => {
        await served.state();
        for (let time = 0; time < times; time++) await talk(served.http, get('/length/warm'));
        const { p99: most99, most } = (await served.state()).delays;
        delays[mode] = `loop p99 ${most99.toFixed(2)} ms, at most ${most.toFixed(1)} ms`;
        values[mode] = most99;
      });
    }
    tallyFigures('one fast client', times, delays.tuned, delays.stock);
    expect(values.tuned).to.be.below(values.stock * 4 + 5);
  });
});
