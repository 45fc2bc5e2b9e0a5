import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { content } from '../../support/files/content.js';
import { hasProgram, skipWithout } from '../../support/processes/program.js';
import { scratchProject } from '../../support/processes/scratch-project.js';
import { selection } from '../effort.js';
import { repeat, talk } from '../talk.js';
import { countVerdicts, tally } from '../tally.js';
import { exactly, judgeRaw, type Verdict } from '../verdict.js';
import { frontOf, type Proxied, sending, withProxied } from './proxied.js';

const BYTES = content(24 << 20);

/** Errors after which the stream goes on, and errors that are the end of the connection. */
const PASSING = ['EAGAIN', 'EINTR', 'EINVAL', 'ENOSYS', 'EPERM', 'ENOMEM'];
const ENDING = ['EPIPE', 'ECONNRESET', 'ETIMEDOUT'];

interface Injection {
  readonly error: string;
  /** As strace writes it: the third call, or every one from the third on. */
  readonly when: string;
  readonly from: 'tcp' | 'unix';
  readonly to: 'tcp' | 'unix';
}

let traces = 0;

async function download(proxied: Proxied, from: 'tcp' | 'unix', readAfter = 0): Promise<Verdict> {
  const answer = await talk(frontOf(proxied, from), 'go', { patience: 10_000, readAfter });
  return judgeRaw(answer, exactly(BYTES));
}

/** Returns the verdict of a download; undefined if the call that was to fail never came. */
async function inject({ error, when, from, to }: Injection): Promise<Verdict | undefined> {
  const output = join(scratchProject(), `splice-injected-${traces++}`);
  const under = ['strace', '-f', '-qq', '--seccomp-bpf', '-o', output, '-e', 'trace=splice'];
  const injection = ['-e', `inject=splice:error=${error}:when=${when}`];
  const { result, ended } = await withProxied(
    'tuned',
    sending(BYTES),
    async (proxied) => {
      const first = await download(proxied, from);
      // The process goes on, and so does the next connection, whatever has happened to the first.
      const next = when.endsWith('+') ? 'identical' : await download(proxied, from);
      return { first, next };
    },
    { under: [...under, ...injection], to },
  );
  expect(ended, `${error} at ${when}, ${from} to ${to}`).to.include({ code: 0, stderr: '' });
  expect(result.next, `the connection after ${error} at ${when}`).to.equal('identical');
  return readFileSync(output, 'utf8').includes('(INJECTED)') ? result.first : undefined;
}

function combinations(errors: readonly string[], whens: readonly string[]): Injection[] {
  const ways = selection(
    [
      { from: 'tcp', to: 'tcp' },
      { from: 'unix', to: 'tcp' },
      { from: 'tcp', to: 'unix' },
    ] as const,
    [{ from: 'tcp', to: 'tcp' }] as const,
  );
  return errors.flatMap((error) => whens.flatMap((when) => ways.map((way) => ({ error, when, ...way }))));
}

async function injectAll(
  title: string,
  injections: readonly Injection[],
  isRight: (verdict: Verdict) => boolean,
): Promise<void> {
  const verdicts: Verdict[] = [];
  const failures: string[] = [];
  await repeat(injections.length, 2, async (index) => {
    const injection = injections[index];
    if (injection === undefined) return;
    const verdict = await inject(injection);
    const { error, when, from, to } = injection;
    if (verdict === undefined) failures.push(`call ${when} of splice never came: ${from} to ${to}`);
    else {
      verdicts.push(verdict);
      if (!isRight(verdict)) failures.push(`${error} at ${when}, ${from} to ${to}: ${verdict}`);
    }
  });
  tally(title, countVerdicts(verdicts));
  expect(failures).to.deep.equal([]);
  expect(verdicts).to.have.length(injections.length);
}

describe('a call of splice that fails', () => {
  before(function () {
    if (!hasProgram('strace')) skipWithout(this, 'strace');
  });

  /** Odd calls fill the kernel's pipe, even ones empty it. */
  const calls = selection(['1', '2', '3', '4', '9', '10'], ['1', '2']);

  it('as it could on any day costs no byte', async () => {
    await injectAll('splice fails', combinations(PASSING, calls), (verdict) => verdict === 'identical');
  });

  it('for ever costs no byte', async () => {
    const errors = selection(
      PASSING.filter((error) => error !== 'EINTR'),
      ['EAGAIN', 'EINVAL'],
    );
    await injectAll(
      'splice fails for ever',
      combinations(errors, selection(['1+', '2+', '6+'], ['1+', '4+'])),
      (verdict) => verdict === 'identical',
    );
  });

  it('as the connection has ended, ends it', async () => {
    await injectAll(
      'splice: the connection ends',
      combinations(ENDING, calls),
      (verdict) => verdict === 'identical' || verdict === 'clean close',
    );
  });
});
