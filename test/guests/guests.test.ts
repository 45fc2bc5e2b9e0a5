import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { FileRound, Finding } from '../../scripts/guests/finding.js';
import { GUESTS, type Guest } from '../../scripts/guests/guests.js';
import { problemsOf } from '../../scripts/guests/judge.js';
import { findingsIn } from '../../scripts/guests/machine.js';
import { PLATFORMS_PAGE, platformsPage } from '../../scripts/guests/page.js';
import { readResults } from '../../scripts/guests/results.js';

const GUEST: Guest = { name: 'some', what: 'a kernel', machine: 'here', nodes: [20], lacks: ['TCP_RTO_MAX_MS'] };

const ROUND: FileRound = {
  round: 'warm',
  filesystem: 'ext4',
  answers: 3,
  correct: 3,
  bytes: 1_010_100,
  sendfileBytes: 1_000_000,
  copiedBytes: { 'small-file': 10_100 },
  notRerouted: {},
  inlineCalls: 3,
  pooledCalls: {},
};

const FINDING: Finding = {
  node: 'v20.20.2',
  platform: 'linux',
  arch: 'x64',
  kernel: '6.1.0',
  pageSize: 4096,
  verify: { status: 0, counts: { applied: 82, unsupported: 1 }, unsupported: ['TCP_RTO_MAX_MS'], refused: [] },
  rounds: [ROUND],
  deadPeer: { asked: 3, seconds: 4.5, code: 'ETIMEDOUT' },
  status: 0,
  stderr: '',
};

describe('a guest', () => {
  it('tells what it found among the lines of its console', () => {
    const line = `guest-finding: ${JSON.stringify(FINDING)}`;
    const console = `\u001bc\u001b[?7lSeaBIOS\r\r\nBooting from ROM..\u001b[?7l${line}\r\n[ 35.3] reboot: Power down\r\n`;
    expect(findingsIn(console)).to.deep.equal([FINDING]);
    expect(findingsIn('Kernel panic - not syncing\r\n')).to.deep.equal([]);
  });

  const FAULTS: Readonly<Record<string, [change: Partial<Finding>, problem: RegExp]>> = {
    'the app was killed': [{ status: 'SIGSEGV' }, /ended with SIGSEGV/],
    'the app ended with an error': [{ status: 1 }, /ended with 1/],
    'the app warned': [{ stderr: '(node:1) Warning: odd\n' }, /odd/],
    'a body was wrong': [{ rounds: [{ ...ROUND, correct: 2 }] }, /1 of 3 answers from ext4/],
    'no file went by sendfile': [{ rounds: [{ ...ROUND, sendfileBytes: 0 }] }, /only 0 of 1010100/],
    'an option was refused': [
      { verify: { ...FINDING.verify, refused: ['SO_MARK (listener): EPERM'] } },
      /refused: SO_MARK \(listener\)/,
    ],
    'an option is missing': [
      { verify: { ...FINDING.verify, unsupported: ['TCP_RTO_MAX_MS', 'TCP_NODELAY'] } },
      /TCP_NODELAY should be supported/,
    ],
    'an option is there unexpectedly': [
      { verify: { ...FINDING.verify, unsupported: [] } },
      /RTO_MAX_MS should be unsup/,
    ],
    'verify failed': [{ verify: { ...FINDING.verify, failure: 'TypeError: no' } }, /verify: TypeError: no/],
    'a dead peer was not noticed': [{ deadPeer: { asked: 3 } }, /not noticed/],
    'a dead peer was noticed too early': [{ deadPeer: { asked: 3, seconds: 1, code: 'ETIMEDOUT' } }, /after 1.0 s/],
    'a dead peer ended otherwise': [{ deadPeer: { asked: 3, seconds: 4, code: 'EPIPE' } }, /with EPIPE/],
  };

  for (const [what, [change, problem]] of Object.entries(FAULTS)) {
    it(`fails where ${what}`, () => {
      expect(problemsOf(FINDING, GUEST)).to.deep.equal([]);
      expect(problemsOf({ ...FINDING, ...change }, GUEST).join('\n')).to.match(problem);
    });
  }

  it('is not tuned where there is no table of options, and that is no fault', () => {
    const { deadPeer: _, ...rest } = FINDING;
    const untuned: Finding = { ...rest, platform: 'win32', rounds: [{ ...ROUND, sendfileBytes: 0, copiedBytes: {} }] };
    expect(problemsOf(untuned, GUEST)).to.deep.equal([]);
    expect(problemsOf({ ...untuned, rounds: [ROUND] }, GUEST)).to.have.length(1);
  });
});

describe('docs/platforms.md', () => {
  it('is what the guests told', () => {
    expect(readFileSync(PLATFORMS_PAGE, 'utf8')).to.equal(platformsPage(readResults()));
  });

  it('has results of every guest, and none that is wrong', () => {
    const results = readResults();
    expect(results.map(({ name }) => name)).to.deep.equal(GUESTS.map(({ name }) => name));
    for (const { name, findings } of results) {
      const guest = GUESTS.find((one) => one.name === name);
      if (guest === undefined) throw new Error(`no guest ${name}`);
      expect(findings, name).to.have.length(guest.nodes.length);
      for (const finding of findings) expect(problemsOf(finding, guest), name).to.deep.equal([]);
    }
  });
});
