import { expect } from 'chai';
import { content } from '../support/files/content.js';
import { useScratch } from '../support/files/scratch.js';
import { hasProgram, skipWithout } from '../support/processes/program.js';
import { effort, selection } from './effort.js';
import { type Served, type State, withServed } from './served.js';
import { get, open, pause, talk } from './talk.js';
import { countVerdicts, tally } from './tally.js';
import { exactly, judgeRaw, judgeResponses, type Verdict } from './verdict.js';

const FILES = [10_000, 100_000, 1_000_000, 8_000_000].map((size) => content(size, size));
const SECONDS = effort(45, 6);
const SAMPLES = 10;
const CLIENTS = 4;

/** One in so many calls of sendfile fails. */
const EVERY = 100;

/** A download, one way or another; one in twenty is broken off. */
async function download(served: Served, index: number): Promise<Verdict | undefined> {
  const file = index % FILES.length;
  const expected = exactly(FILES[file] ?? Buffer.alloc(0));
  const way = Math.floor(Math.random() * 5);
  if (Math.random() < 0.05) {
    const socket = open(served.http);
    socket.write(get(`/length/file-${file}`));
    await pause(Math.random() * 3);
    return void socket.destroy();
  }
  if (way === 0) return judgeRaw(await talk(served.raw, `file-${file}`), expected);
  if (way === 1) return judgeRaw(await talk(served.unixRaw, `file-${file}`), expected);
  const requests = get(`/${way === 2 ? 'chunked' : 'length'}/file-${file}`, false) + get('/second');
  return judgeResponses(await talk(way === 4 ? served.unixHttp : served.http, requests), expected);
}

describe('a server that runs on and on', () => {
  const scratch = useScratch();

  before(function () {
    if (!hasProgram('strace')) skipWithout(this, 'strace');
    for (const [index, bytes] of FILES.entries()) scratch.file(`file-${index}`, bytes);
  });

  for (const error of selection(['EIO', 'EAGAIN', 'EPERM', 'EINTR'], ['EIO'])) {
    it(`keeps neither memory nor descriptors, where one call in ${EVERY} fails with ${error}`, async () => {
      const inject = ['-e', 'trace=sendfile', '-e', `inject=sendfile:error=${error}:when=${EVERY}+${EVERY}`];
      const under = ['strace', '-f', '-qq', '--seccomp-bpf', '-o', '/dev/null', ...inject];
      const verdicts: Verdict[] = [];
      const samples: State[] = [];
      const { ended } = await withServed(
        'tuned',
        scratch.path('.'),
        async (served) => {
          let index = 0;
          const slice = async (seconds: number): Promise<void> => {
            const end = performance.now() + seconds * 1000;
            const client = async (): Promise<void> => {
              while (performance.now() < end) {
                const verdict = await download(served, index++);
                if (verdict !== undefined) verdicts.push(verdict);
              }
            };
            await Promise.all(Array.from({ length: CLIENTS }, client));
            await pause(300);
            samples.push(await served.state());
          };
          for (let sample = 0; sample < SAMPLES; sample++) await slice(SECONDS / SAMPLES);
        },
        { under },
      );
      const [first, last] = [samples[2], samples.at(-1)];
      if (first === undefined || last === undefined) throw new Error('no samples');
      const change = (of: 'heapUsed' | 'external' | 'rss'): number => (last[of] - first[of]) / 1024;
      const counts = countVerdicts(verdicts);
      const rss = [2, 4, 6, 8, 9].map((sample) => Math.round((samples[sample]?.rss ?? 0) / 2 ** 20)).join(', ');
      const note = `heap ${change('heapUsed').toFixed(0)} KB, external ${change('external').toFixed(0)} KB more, RSS ${rss} MB, fds ${last.fds - first.fds} more`;
      tally(`soak of ${SECONDS} s, 1 % ${error}`, counts, { note });
      expect(ended).to.include({ code: 0, stderr: '' });
      expect(counts).to.include({ wrong: 0, desync: 0, hang: 0, 'clean close': 0 });
      expect(last.fds).to.equal(first.fds);
      expect(change('heapUsed')).to.be.below(2000);
      expect(change('external')).to.be.below(8000);
      const refused = Object.keys(ended.report?.files.copiedBytes ?? {});
      if (error === 'EIO' || error === 'EPERM') expect(refused).to.include(`refused:${error}`);
    });
  }
});
