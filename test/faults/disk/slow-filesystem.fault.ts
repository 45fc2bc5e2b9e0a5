import { mkdirSync } from 'node:fs';
import { expect } from 'chai';
import { useScratch } from '../../support/files/scratch.js';
import { skip } from '../../support/test-run/skipped.js';
import { effort } from '../effort.js';
import { type Mode, withServed } from '../served.js';
import { nativeProgram } from '../system-calls/native-program.js';
import { get, repeat, talk } from '../talk.js';
import { countVerdicts, describeCounts, tally } from '../tally.js';
import { exactly, judgeResponses, type Verdict } from '../verdict.js';
import { latenciesUntil, p99 } from './latency.js';
import { mountSlow, type SlowFilesystem, slowBytes } from './slow-filesystem.js';

const DELAY = 50;

describe('a FUSE file system whose reads take 50 ms', () => {
  let filesystem: SlowFilesystem | undefined;
  // Unmounted before its directory is removed.
  after(() => filesystem?.unmount());
  const scratch = useScratch();
  const bytes = slowBytes();

  before(async function () {
    const program = nativeProgram(this, 'disk/slow-filesystem.c');
    mkdirSync(scratch.path('mount'));
    const mounted = await mountSlow(program, scratch.path('mount'), DELAY);
    if (typeof mounted === 'string') return skip(this, `nothing can be mounted here (${mounted})`);
    filesystem = mounted;
  });

  async function download(mode: Mode, name: string, times: number) {
    const verdicts: Verdict[] = [];
    const { result, ended } = await withServed(mode, scratch.path('mount'), async (served) => {
      const downloads = repeat(times, 2, async () => {
        const answer = await talk(served.http, get(`/length/${name}?pipeline`, false) + get('/second'));
        verdicts.push(judgeResponses(answer, exactly(bytes)));
      });
      await served.state();
      const latencies = await latenciesUntil(served.http, downloads);
      const { lastError, delays, fds } = await served.state();
      return { latencies, lastError, loop: delays.p99, fds };
    });
    expect(ended).to.include({ code: 0, stderr: '' });
    return { ...result, counts: countVerdicts(verdicts), files: ended.report?.files };
  }

  it('has its files sent by Node, as ever, and small requests are not held up', async function () {
    this.retries(2);
    const times = effort(20, 2);
    const stock = await download('stock', 'slow', times);
    const tuned = await download('tuned', 'slow', times);
    const describeTimes = ({ latencies, loop }: typeof tuned): string =>
      `p99 ${p99(latencies).toFixed(2)} ms of ${latencies.length} small requests, loop p99 ${loop.toFixed(2)} ms`;
    tally('FUSE, 50 ms a read', tuned.counts, { note: describeTimes(tuned), stock: describeTimes(stock) });
    expect(tuned.counts.identical).to.equal(times);
    expect(tuned.files).to.include({ reroutedStreams: 0, sendfileBytes: 0 });
    expect(tuned.files?.notRerouted).to.deep.equal({ 'unknown-filesystem': times });
    expect(p99(tuned.latencies)).to.be.below(p99(stock.latencies) * 5 + 2);
  });

  it('that fails with EIO has the error that stock Node has', async () => {
    const times = effort(20, 2);
    const stock = await download('stock', 'broken', times);
    const tuned = await download('tuned', 'broken', times);
    const describeEnd = ({ counts, lastError }: typeof tuned): string => `${describeCounts(counts)}, ${lastError}`;
    tally('FUSE, EIO after 1 MB', tuned.counts, { note: tuned.lastError, stock: describeEnd(stock) });
    expect(describeEnd(tuned)).to.equal(`${times} clean close, EIO`);
    expect(describeEnd(stock)).to.equal(describeEnd(tuned));
    expect(tuned.fds).to.equal(stock.fds);
  });
});
