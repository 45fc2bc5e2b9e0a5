import {
  appendFileSync,
  closeSync,
  openSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { expect } from 'chai';
import { content } from '../support/files/content.js';
import { useScratch } from '../support/files/scratch.js';
import { effort } from './effort.js';
import { type Mode, type Served, withServed } from './served.js';
import { get, type Place, repeat, talk } from './talk.js';
import { type Counts, countVerdicts, describeCounts, tally } from './tally.js';
import { type Expected, judgeResponses, type Verdict } from './verdict.js';

const FILE = content(2_500_000);
const NEW_FILE = content(1_700_000, 2);
const MORE = content(100_000, 3);

/** What happens to a file while it is sent. */
interface Change {
  act(path: string): void;
  readonly expected: Expected;
  /** The app sets no `end`, although it has promised a length. */
  readonly isUnbounded?: true;
}

const anyOf = (...files: readonly Buffer[]): Expected => ({
  isWhole: (body) => files.some((file) => file.equals(body)),
  isPart: (body) => files.some((file) => file.subarray(0, body.length).equals(body)),
});

/** One body may have bytes of the old and of the new file. */
const ANYTHING: Expected = { isWhole: () => true, isPart: () => true };

/** Pages that are being sent are shared with the file (docs/deviations.md): the kernel clears those beyond its new end. */
function isOfFileOrCleared(body: Buffer): boolean {
  if (FILE.subarray(0, body.length).equals(body)) return true;
  return body.length <= FILE.length && body.every((byte, index) => byte === 0 || byte === FILE[index]);
}

/** A file that has become shorter, and maybe without a promise of its length. */
const UP_TO_SOME_BYTE: Expected = { isWhole: isOfFileOrCleared, isPart: isOfFileOrCleared };

function overwrite(path: string): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, NEW_FILE);
  closeSync(fd);
}

const CHANGES: Readonly<Record<string, Change>> = {
  shrinks: { act: (path) => truncateSync(path, Math.floor(Math.random() * FILE.length)), expected: UP_TO_SOME_BYTE },
  'is emptied': { act: (path) => truncateSync(path, 0), expected: UP_TO_SOME_BYTE },
  'is written anew': { act: (path) => writeFileSync(path, NEW_FILE), expected: ANYTHING },
  'is overwritten': { act: overwrite, expected: ANYTHING },
  grows: { act: (path) => appendFileSync(path, MORE), expected: anyOf(FILE, Buffer.concat([FILE, MORE])) },
  'grows, and the app sets no end': {
    act: (path) => appendFileSync(path, MORE),
    expected: anyOf(FILE, Buffer.concat([FILE, MORE])),
    isUnbounded: true,
  },
  'is replaced by rename': {
    act: (path) => {
      writeFileSync(`${path}-new`, NEW_FILE);
      renameSync(`${path}-new`, path);
    },
    expected: anyOf(FILE, NEW_FILE),
  },
};

/** The file changes while it is sent: at once, or a little later, by chance and by how fast the client reads. */
async function race(place: Place, path: string, url: string, { act, expected }: Change): Promise<Verdict> {
  const requests = get(url, false) + get('/second');
  let later: NodeJS.Timeout | undefined;
  const answer = await talk(place, requests, {
    onFirst: () => {
      if (Math.random() < 0.7) act(path);
      else later = setTimeout(act, Math.random() * 2, path);
    },
  });
  clearTimeout(later);
  return judgeResponses(answer, expected);
}

describe('a file that changes while it is sent', () => {
  const scratch = useScratch();

  async function raceAll(mode: Mode, framing: string, change: Change, times: number): Promise<Counts> {
    const verdicts: Verdict[] = [];
    const { ended } = await withServed(mode, scratch.path('.'), async (served: Served) => {
      await repeat(times, 4, async (index) => {
        const name = `race-${index}`;
        const path = scratch.file(name, FILE);
        const place = index % 2 === 0 ? served.unixHttp : served.http;
        verdicts.push(await race(place, path, `/${framing}/${name}${change.isUnbounded ? '?unbounded' : ''}`, change));
        unlinkSync(path);
      });
    });
    expect(ended).to.include({ code: 0, stderr: '' });
    if (mode === 'tuned') expect(ended.report?.files.sendfileBytes).to.be.above(0);
    return countVerdicts(verdicts);
  }

  for (const framing of ['length', 'chunked']) {
    for (const [name, change] of Object.entries(CHANGES)) {
      it(`${name}, with framing by ${framing}, never gets mixed up with the next response`, async () => {
        const times = effort(1500, 25);
        const stock = await raceAll('stock', framing, change, effort(300, 25));
        const tuned = await raceAll('tuned', framing, change, times);
        tally(`file ${name} (${framing})`, tuned, { stock: describeCounts(stock) });
        expect(tuned).to.include({ desync: 0, hang: 0, wrong: 0 });
      });
    }
  }
});
