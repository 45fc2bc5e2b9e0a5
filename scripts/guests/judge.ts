import type { FileRound, Finding } from './finding.js';
import type { Guest } from './guests.js';

/** The interval in which a dead peer must have been noticed, in multiples of the time that was asked for. An emulated processor is slow. */
const NOTICED = { least: 0.9, most: 6 };

function difference(all: readonly string[], others: readonly string[]): string[] {
  return all.filter((one) => !others.includes(one));
}

function wrongOptions({ verify }: Finding, { lacks }: Guest, isTuned: boolean): string[] {
  if (verify.failure !== undefined) return [`verify: ${verify.failure.trim()}`];
  if (!isTuned) return [];
  return [
    ...verify.refused.map((text) => `refused: ${text}`),
    ...difference(verify.unsupported, lacks).map((name) => `${name} should be supported`),
    ...difference(lacks, verify.unsupported).map(
      (name) => `${name} should be unsupported, or the guest's row is wrong`,
    ),
  ];
}

function wrongFiles(round: FileRound, isTuned: boolean): string[] {
  const { filesystem, round: name, answers, correct, bytes, sendfileBytes } = round;
  const wrong = correct === answers ? [] : [`${answers - correct} of ${answers} answers from ${filesystem} are wrong`];
  if (!isTuned) return sendfileBytes === 0 ? wrong : [...wrong, 'sendfile is counted where there is none'];
  // The large file: the first one may come before its file system is known.
  if (name === 'warm' && filesystem === 'ext4' && sendfileBytes < bytes / 2)
    wrong.push(`only ${sendfileBytes} of ${bytes} bytes from ${filesystem} went by sendfile`);
  return wrong;
}

function wrongEnd({ deadPeer }: Finding): string[] {
  if (deadPeer === undefined) return [];
  const { asked, seconds, code } = deadPeer;
  if (seconds === undefined) return ['a dead peer was not noticed'];
  const wrong = code === 'ETIMEDOUT' ? [] : [`a dead peer ended with ${code}`];
  if (seconds < asked * NOTICED.least || seconds > asked * NOTICED.most)
    wrong.push(`a dead peer was noticed after ${seconds.toFixed(1)} s instead of ${asked}`);
  return wrong;
}

function warnings({ stderr }: Finding, { mayWarn }: Guest): string[] {
  return stderr.split(/\r?\n/).filter((line) => line !== '' && mayWarn?.test(line) !== true);
}

/** What is wrong about a finding. Nothing, if the app runs, every byte is right, and only what the guest's row names fell back. */
export function problemsOf(finding: Finding, guest: Guest): string[] {
  const isTuned = finding.platform === 'linux';
  return [
    ...(finding.status === 0 ? [] : [`the app ended with ${finding.status}`]),
    ...warnings(finding, guest).map((line) => `the app wrote: ${line}`),
    ...wrongOptions(finding, guest, isTuned),
    ...finding.rounds.flatMap((round) => wrongFiles(round, isTuned)),
    ...wrongEnd(finding),
  ];
}
