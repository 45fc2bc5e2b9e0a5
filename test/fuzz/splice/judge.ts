import { content } from '../../support/files/content.js';
import type { Given, LineRecord } from './messages.js';
import type { Got, Peers } from './peers.js';
import { isUnbroken, type LinePlan, markOf, type Traffic } from './plan.js';

/** All that a sink was given. */
function expectedOf(given: readonly Given[], bytes: Buffer): Buffer {
  return Buffer.concat(
    given.map((part) => ('mark' in part ? markOf(part.mark) : bytes.subarray(part.from, part.to ?? bytes.length))),
  );
}

/** What is wrong with what came; `undefined` if nothing is. */
export function compare(what: string, got: Buffer, expected: Buffer, isWhole: boolean): string | undefined {
  const end = isWhole ? expected.length : Math.min(got.length, expected.length);
  if (got.length > expected.length || !got.subarray(0, end).equals(expected.subarray(0, end))) {
    const at = expected.findIndex((byte, index) => got[index] !== byte);
    return `${what}: ${got.length} bytes of ${expected.length}, wrong from ${at < 0 ? expected.length : at}`;
  }
  return isWhole && got.length < expected.length ? `${what}: ${got.length} bytes of ${expected.length}` : undefined;
}

function bytesOf({ chunks }: Got): Buffer {
  return Buffer.concat(chunks);
}

/** What is wrong with a line that has come to its end. */
export function judge(plan: LinePlan, peers: Peers, record: LineRecord, hang: string | undefined): string[] {
  const isWhole = isUnbroken(plan) && hang === undefined;
  const problems = [...record.problems, ...(hang === undefined ? [] : [hang])];
  const bytes = content(plan.there.size, plan.there.seed);
  for (const [index, got] of peers.received.entries()) {
    const problem = compare(`sink ${index}`, bytesOf(got), expectedOf(record.given[index] ?? [], bytes), isWhole);
    if (problem !== undefined) problems.push(problem);
  }
  problems.push(...judgeBack(plan.back, peers.back, isWhole));
  if (isWhole && (!record.hasEnded || record.bytesRead !== plan.there.size)) {
    problems.push(`the source has read ${record.bytesRead}, and ${record.hasEnded ? 'ended' : 'not ended'}`);
  }
  return problems;
}

function judgeBack(plan: Traffic | undefined, back: Got, isWhole: boolean): string[] {
  const expected = plan === undefined ? Buffer.alloc(0) : content(plan.size, plan.seed);
  const problem = compare('back', bytesOf(back), expected, isWhole);
  return problem === undefined ? [] : [problem];
}
