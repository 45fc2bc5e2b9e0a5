/**
 * `npm run test:guests`: the package on kernels, architectures and systems that this machine is not. Guests boot under emulation, with
 * kernels of Debian's and Node from npm. `-- --only NAME` runs one, `--nodes 20,26` other versions of Node than the row's, `--record`
 * writes scripts/guests/results.json and docs/platforms.md.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { command } from './command.js';
import { Debian } from './debian.js';
import type { Finding } from './finding.js';
import { GUESTS, type Guest } from './guests.js';
import { problemsOf } from './judge.js';
import { runGuest, whatIsMissing } from './machine.js';
import { summaryOf } from './page.js';
import { recordResult } from './results.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const CACHE = join(root, 'node_modules/.cache/socket-tune/guests');

/** Arguments of `socket-tune verify` that try a sample of every option. */
function verifyArguments(): string[] {
  const help = command(process.execPath, [join(root, 'dist/cli.js'), 'verify', '--help']);
  return ['verify', '--json', ...(help.includes('--samples') ? ['--samples'] : [])];
}

/** @throws Error if there is no such guest, or no such version */
function chosenGuests(only: readonly string[], nodes: string | undefined): Guest[] {
  for (const name of only) {
    if (!GUESTS.some((guest) => guest.name === name))
      throw new Error(`there is no guest ${name}, but ${GUESTS.map((guest) => guest.name).join(', ')}`);
  }
  const versions = nodes?.split(',').map(Number);
  if (versions?.some((version) => !Number.isInteger(version))) throw new Error(`--nodes ${nodes}: expected 20,26`);
  const chosen = only.length === 0 ? GUESTS : GUESTS.filter(({ name }) => only.includes(name));
  return chosen.map((guest) => ({ ...guest, nodes: versions ?? guest.nodes }));
}

function report(finding: Finding, guest: Guest): number {
  console.log(`  ${summaryOf(finding)}`);
  const problems = problemsOf(finding, guest);
  for (const problem of problems) console.log(`    WRONG: ${problem}`);
  return problems.length;
}

/** @returns how much is wrong */
async function tryGuest(guest: Guest, verify: readonly string[], record: boolean): Promise<number> {
  console.log(`${guest.name}: ${guest.what}`);
  const missing = whatIsMissing(guest);
  if (missing !== undefined) {
    console.log(`  WRONG: ${missing}`);
    return 1;
  }
  const began = performance.now();
  const { findings, console: lines } = await runGuest(guest, new Debian(join(CACHE, 'debian')), CACHE, verify);
  let wrong = 0;
  for (const finding of findings) wrong += report(finding, guest);
  if (findings.length < guest.nodes.length) {
    console.log(`  WRONG: ${findings.length} of ${guest.nodes.length} copies of Node told what they found\n${lines}`);
    wrong++;
  }
  console.log(`  ${Math.round((performance.now() - began) / 1000)} seconds`);
  if (record && wrong === 0) recordResult(guest, findings);
  return wrong;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      nodes: { type: 'string' },
      record: { type: 'boolean', default: false },
    },
  });
  mkdirSync(CACHE, { recursive: true });
  const verify = verifyArguments();
  let wrong = 0;
  const guests = chosenGuests(values.only, values.nodes);
  for (const guest of guests) wrong += await tryGuest(guest, verify, values.record);
  console.log(wrong === 0 ? `${guests.length} guests, all as it should be` : `${wrong} findings are wrong`);
  process.exitCode = wrong === 0 ? 0 : 1;
}

await main().catch((error) => {
  console.error(`test:guests: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
});
