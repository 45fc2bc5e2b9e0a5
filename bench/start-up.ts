import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goal } from './goal.js';
import { ROOT } from './machine.js';
import { interleave } from './rounds.js';
import type { Effort, Result, Scenario } from './scenario.js';
import { withScratch } from './scratch.js';
import { median } from './statistics.js';

const PAIRS = 50;
const GOAL_MILLISECONDS = 6;

const PRELOADED = ['--import', 'socket-tune/register'] as const;

/** An empty package: the least cost of any preload. */
const WAYS = [
  { flags: [] },
  { flags: ['--import', 'empty/register'] },
  { flags: PRELOADED },
  { flags: ['--require', 'empty/register'] },
  { flags: ['--require', 'socket-tune/register'] },
] as const;

/** A project with both packages as dependencies. */
function installPackages(project: string): void {
  const empty = join(project, 'node_modules/empty');
  mkdirSync(empty, { recursive: true });
  const manifest = { name: 'empty', type: 'module', exports: { './register': './register.js' } };
  writeFileSync(join(empty, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(empty, 'register.js'), '');
  symlinkSync(ROOT, join(project, 'node_modules/socket-tune'));
}

/** Removed from the environment: Node 20 reads these certificates at every start, which is slow and varies. */
const { NODE_EXTRA_CA_CERTS: _, ...ENVIRONMENT } = process.env;

function node(project: string, flags: readonly string[], script: string): string {
  const options = { cwd: project, env: ENVIRONMENT, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', script], options);
  if (status !== 0) throw new Error(`node ${flags.join(' ')} -e '${script}': ${stderr}`);
  return stdout;
}

function milliseconds(project: string, flags: readonly string[]): number {
  const start = performance.now();
  node(project, flags, '0');
  return performance.now() - start;
}

/** Whether koffi's library is loaded in a process after a script. */
function hasKoffi(project: string, script: string): boolean {
  const list = "process.stdout.write(process.report.getReport().sharedObjects.join('\\n'))";
  const loaded = node(project, PRELOADED, `${script}; ${list}; process.exit()`);
  return loaded.split('\n').some((path) => /koffi[^\n]*\.node$/.test(path));
}

function koffiNote(project: string): string {
  const before = hasKoffi(project, '0') ? 'LOADED' : 'not loaded';
  // Control: a report without koffi would otherwise look like success.
  const after = hasKoffi(project, "require('node:net').createServer().listen(0)") ? 'loaded' : 'NOT LOADED';
  return `koffi is ${before} after start-up, and ${after} once there is a listener`;
}

async function run({ quick }: Effort): Promise<Result> {
  const pairs = quick ? 8 : PAIRS;
  return withScratch(async (project) => {
    installPackages(project);
    const samples = await interleave(WAYS, pairs, ({ flags }) => milliseconds(project, flags));
    const plain = samples[0] ?? [];
    const rows = WAYS.map(({ flags }, index) => {
      const own = samples[index] ?? [];
      const more = median(own) - median(plain);
      const met = flags === PRELOADED ? goal(more, GOAL_MILLISECONDS, ' ms') : '';
      return [['node', ...flags].join(' '), median(own), more, met];
    });
    const columns = ['command', 'time', 'over node', 'goal'];
    return {
      tables: [{ title: 'Time to run -e 0, in milliseconds', columns, rows }],
      comparisons: [
        {
          id: 'start-up',
          title: 'Start of a process',
          what: 'How long Node takes to start and run nothing, with the preload and without; an empty one is the least there can be.',
          unit: 'ms',
          better: 'lower',
          kind: 'bars',
          xTitle: '',
          series: WAYS.map(({ flags }, index) => ({
            contender: ['node', ...flags].join(' '),
            points: [{ x: 'start-up', samples: samples[index] ?? [] }],
          })),
        },
      ],
      notes: [
        `medians of ${pairs} runs of each, in turn; 'over node' is the difference of the medians`,
        koffiNote(project),
      ],
    };
  });
}

export const startUp: Scenario = { name: 'start-up', what: 'what the preload adds to the start of a process', run };
