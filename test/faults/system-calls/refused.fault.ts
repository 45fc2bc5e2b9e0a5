import { constants } from 'node:os';
import { expect } from 'chai';
import { content } from '../../support/files/content.js';
import { useScratch } from '../../support/files/scratch.js';
import { effort } from '../effort.js';
import { type MODES, type Mode, withServed } from '../served.js';
import { get, repeat, talk } from '../talk.js';
import { countVerdicts, describeCounts, tally, tallyFigures } from '../tally.js';
import { exactly, judgeResponses, type Verdict } from '../verdict.js';
import { nativeProgram } from './native-program.js';

const FILE = content(3 << 20);

describe('a seccomp filter that answers sendfile', () => {
  const scratch = useScratch();
  let refuse = '';

  before(function () {
    refuse = nativeProgram(this, 'system-calls/refuse-sendfile.c');
    scratch.file('file', FILE);
  });

  async function download(mode: Mode, errno: number, times: number, framing: string) {
    const verdicts: Verdict[] = [];
    const under = [refuse, String(errno)];
    const { result, ended } = await withServed(
      mode,
      scratch.path('.'),
      async (served) => {
        const before = (await served.state()).cpu;
        await repeat(times, 4, async () => {
          const requests = get(`/${framing}/file`, false) + get('/second');
          verdicts.push(judgeResponses(await talk(served.http, requests), exactly(FILE)));
        });
        return (await served.state()).cpu - before;
      },
      { under },
    );
    expect(ended).to.include({ code: 0, stderr: '' });
    return { cpu: result, verdicts, report: ended.report };
  }

  for (const name of ['EPERM', 'ENOSYS', 'EINVAL', 'EIO'] as const) {
    it(`with ${name} has files copied, and nothing is printed`, async () => {
      const times = effort(100, 10);
      const [length, chunked] = [
        await download('tuned', constants.errno[name], times, 'length'),
        await download('tuned', constants.errno[name], times, 'chunked'),
      ];
      const verdicts = [...length.verdicts, ...chunked.verdicts];
      tally(`seccomp refuses sendfile, ${name}`, countVerdicts(verdicts));
      expect(describeCounts(countVerdicts(verdicts))).to.equal(`${2 * times} identical`);
      expect(length.report?.files).to.include({ sendfileBytes: 0 });
      expect(length.report?.files.copiedBytes).to.have.property(`refused:${name}`).that.is.above(0);
    });
  }

  it('with EAGAIN for ever slows downloads down to copying, and no further', async () => {
    const times = effort(300, 30);
    const results: Record<Mode, number[]> = { stock: [], tuned: [] };
    const verdicts: Verdict[] = [];
    for (let round = 0; round < effort(5, 2); round++) {
      for (const mode of ['stock', 'tuned'] as const satisfies readonly (keyof typeof MODES)[]) {
        const { cpu, verdicts: some, report } = await download(mode, constants.errno.EAGAIN, times, 'length');
        results[mode].push(cpu / times);
        if (mode === 'stock') continue;
        verdicts.push(...some);
        expect(report?.files).to.include({ sendfileBytes: 0 });
        expect(report?.files.copiedBytes).to.have.property('socket-full').that.is.above(0);
      }
    }
    const least = { stock: Math.min(...results.stock), tuned: Math.min(...results.tuned) };
    tally('EAGAIN for ever (seccomp)', countVerdicts(verdicts));
    tallyFigures(
      'EAGAIN for ever, server CPU a download',
      verdicts.length,
      `${least.tuned.toFixed(2)} ms of 3 MB, ${(least.tuned / least.stock).toFixed(2)} times stock's`,
      `${least.stock.toFixed(2)} ms`,
    );
    expect(verdicts.every((verdict) => verdict === 'identical')).to.equal(true);
    expect(least.tuned).to.be.below(least.stock * 2);
  });
});
