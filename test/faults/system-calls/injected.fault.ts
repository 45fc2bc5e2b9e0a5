import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { content } from '../../support/files/content.js';
import { useScratch } from '../../support/files/scratch.js';
import { hasProgram, skipWithout } from '../../support/processes/program.js';
import { scratchProject } from '../../support/processes/scratch-project.js';
import { selection } from '../effort.js';
import { type Mode, type Served, withServed } from '../served.js';
import { get, repeat, talk } from '../talk.js';
import { countVerdicts, tally } from '../tally.js';
import { exactly, judgeRaw, judgeResponses, type Verdict } from '../verdict.js';

const ERRORS = [
  ...['EINTR', 'EAGAIN', 'EINVAL', 'ENOSYS', 'EOPNOTSUPP', 'EPERM'],
  ...['EIO', 'ENOMEM', 'EPIPE', 'ECONNRESET', 'EOVERFLOW', 'ETIMEDOUT'],
];

/** Eight windows of the least size, the last two in one call: so many calls if the client reads at once. */
const FILE = content(8 * (64 << 10));
const LAST_CALL = 7;
const WINDOW = { SOCKET_TUNE_SENDFILE_WINDOW: '64k' };

/** More than a socket buffer holds, so that calls end in the middle of regions. */
const LARGE_FILE = content(12 << 20, 2);

/** So large that reading it takes more calls than the process makes before. */
const UNREADABLE_FILE = content(40 << 20, 3);

type Way = (served: Served, name: string, bytes: Buffer, readAfter: number) => Promise<Verdict>;

const http =
  (framing: string): Way =>
  async ({ http: port }, name, bytes, readAfter) => {
    const requests = get(`/${framing}/${name}`, false) + get('/second');
    return judgeResponses(await talk(port, requests, { readAfter }), exactly(bytes));
  };

const WAYS: Readonly<Record<string, Way>> = {
  'Content-Length': http('length'),
  chunked: http('chunked'),
  'raw TCP': async ({ raw }, name, bytes, readAfter) => judgeRaw(await talk(raw, name, { readAfter }), exactly(bytes)),
  'Unix socket': async ({ unixRaw }, name, bytes, readAfter) =>
    judgeRaw(await talk(unixRaw, name, { readAfter }), exactly(bytes)),
};

interface Injection {
  readonly error: string;
  readonly call: number;
  readonly way: string;
}

let traces = 0;

function strace(output: string, ...injections: readonly string[]): string[] {
  const injected = injections.flatMap((injection) => ['-e', `inject=${injection}`]);
  return ['strace', '-f', '-qq', '--seccomp-bpf', '-o', output, '-e', 'trace=sendfile,pread64', ...injected];
}

/** @returns undefined if the call that was to fail never came */
async function inject(
  directory: string,
  { error, call, way }: Injection,
  name: string,
  bytes: Buffer,
  readAfter: number,
  env = {},
): Promise<Verdict | undefined> {
  const output = join(scratchProject(), `injected-${traces++}`);
  const under = strace(output, `sendfile:error=${error}:when=${call}`);
  const { result, ended } = await withServed(
    'tuned',
    directory,
    (served) => WAYS[way]?.(served, name, bytes, readAfter) ?? Promise.reject(new Error(way)),
    { under, env },
  );
  expect(ended, `${error} at call ${call}, ${way}`).to.include({ code: 0, stderr: '' });
  if (!readFileSync(output, 'utf8').includes('(INJECTED)')) return undefined;
  expect(ended.report?.files.reroutedStreams).to.equal(1);
  return result;
}

function combinations(errors: readonly string[], calls: readonly number[], ways: readonly string[]): Injection[] {
  return errors.flatMap((error) => calls.flatMap((call) => ways.map((way) => ({ error, call, way }))));
}

async function injectAll(
  title: string,
  injections: readonly Injection[],
  one: (injection: Injection) => ReturnType<typeof inject>,
) {
  const verdicts: Verdict[] = [];
  const failures: string[] = [];
  let repetitions = 0;
  await repeat(injections.length, 2, async (index) => {
    const injection = injections[index] ?? { error: '', call: 0, way: '' };
    let verdict = await one(injection);
    for (let round = 0; verdict === undefined && round < 10; round++) {
      repetitions++;
      verdict = await one(injection);
    }
    if (verdict === undefined) throw new Error(`call ${injection.call} of sendfile never came: ${injection.way}`);
    verdicts.push(verdict);
    const { error, call, way } = injection;
    if (verdict !== 'identical' && verdict !== 'clean close') failures.push(`${error} ${call} ${way}: ${verdict}`);
  });
  const note = repetitions === 0 ? '' : `${repetitions} were repeated, as the call that was to fail did not come`;
  tally(title, countVerdicts(verdicts), { note });
  expect(failures).to.deep.equal([]);
  expect(verdicts).to.have.length(injections.length);
}

describe('a call of sendfile that fails', () => {
  const scratch = useScratch();

  before(function () {
    if (!hasProgram('strace')) skipWithout(this, 'strace');
    scratch.file('file', FILE);
    scratch.file('large', LARGE_FILE);
    scratch.file('unreadable', UNREADABLE_FILE);
  });

  it('costs no byte, or ends the connection cleanly', async () => {
    const calls = selection([1, 2, 3, LAST_CALL], [1, LAST_CALL]);
    const ways = selection(Object.keys(WAYS), ['Content-Length', 'Unix socket']);
    await injectAll('sendfile fails (strace)', combinations(ERRORS, calls, ways), (injection) =>
      inject(scratch.path('.'), injection, 'file', FILE, 0, WINDOW),
    );
  });

  it('in the middle of a region, as the reader is slow, costs no byte either', async () => {
    const errors = selection(ERRORS, ['EINTR', 'EINVAL', 'EIO']);
    const ways = selection(['Content-Length', 'chunked', 'Unix socket'], ['chunked', 'Unix socket']);
    await injectAll('sendfile fails in mid-region', combinations(errors, [9, 16], ways), (injection) =>
      inject(scratch.path('.'), injection, 'large', LARGE_FILE, 60),
    );
  });

  it('because the file cannot be read has the error that stock Node has', async () => {
    // The first calls of pread64 belong to the dynamic linker; later ones, in whichever thread, read the file.
    const injections = ['sendfile:error=EIO:when=3+', 'pread64:error=EIO:when=40+'];
    const breakOff = async (mode: Mode) => {
      const { result, ended } = await withServed(
        mode,
        scratch.path('.'),
        async (served) => {
          const answer = await talk(served.http, get('/length/unreadable?pipeline', false) + get('/second'));
          const { lastError, fds } = await served.state();
          return { verdict: judgeResponses(answer, exactly(UNREADABLE_FILE)), lastError, fds };
        },
        { under: strace('/dev/null', ...injections) },
      );
      expect(ended).to.include({ code: 0, stderr: '' });
      return { ...result, files: ended.report?.files };
    };
    const stock = await breakOff('stock');
    const tuned = await breakOff('tuned');
    tally('EIO of sendfile and read', countVerdicts([tuned.verdict]), {
      stock: `${stock.verdict}, ${stock.lastError}`,
      note: tuned.lastError,
    });
    expect(stock).to.include({ verdict: 'clean close', lastError: 'EIO' });
    expect(tuned).to.include({ verdict: 'clean close', lastError: 'EIO', fds: stock.fds });
    expect(tuned.files?.copiedBytes).to.have.property('refused:EIO').that.is.above(0);
  });
});
