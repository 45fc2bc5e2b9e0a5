import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { configFromEnvironment, describeProblem, type EnvironmentConfig } from '../config/config.js';
import { PREFIX, readEnvironment, readVariable } from '../config/env.js';
import { PRESET_NAMES } from '../config/presets.js';
import { platform } from '../native/index.js';
import { ownVersion } from '../report/own-version.js';
import { type BenchOptions, bench, scenarios } from './bench.js';
import { doctor } from './doctor/doctor.js';
import { explain } from './explain/explain.js';
import { makeOutput, type Output } from './output.js';
import { run } from './run.js';
import { TopError } from './top/target.js';
import { type TopOptions, top } from './top/top.js';
import { verify } from './verify.js';

/** `missing`: this machine or process lacks something. `usage`: the command line is wrong. */
const EXIT = { ok: 0, missing: 1, usage: 2 } as const;

interface CommonOptions {
  readonly json: boolean;
  readonly preset?: string;
}

/** The variables of the environment. A preset from the command line replaces SOCKET_TUNE_PRESET. */
function variablesWith(preset: string | undefined): ReadonlyMap<string, string> {
  const variables = new Map(readEnvironment());
  if (preset !== undefined) variables.set(`${PREFIX}PRESET`, preset);
  return variables;
}

function readConfig(variables: ReadonlyMap<string, string>): EnvironmentConfig {
  const environment = configFromEnvironment(variables);
  for (const problem of environment.problems) process.stderr.write(`warning: ${describeProblem(problem)}\n`);
  return environment;
}

function presetOption(): Option {
  return new Option('--preset <name>', 'use this preset instead of SOCKET_TUNE_PRESET').choices(PRESET_NAMES);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!(Number.isInteger(port) && port >= 1 && port <= 65535))
    throw new InvalidArgumentError('A port is a number from 1 to 65535.');
  return port;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1 && seconds <= 3600))
    throw new InvalidArgumentError('The interval is a number of seconds from 0.1 to 3600.');
  return seconds;
}

function jsonOption(): Option {
  return new Option('--json', 'print JSON').default(false, 'text');
}

/** The command line is right, but this process or machine lacks something. */
function refuse(message: string): void {
  process.stderr.write(`error: ${message}\n`);
  process.exitCode = EXIT.missing;
}

/** A file; undefined if it cannot be read. */
function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function addDoctor(program: Command, output: Output): void {
  program
    .command('doctor')
    .description('is this machine ready for the configuration in the environment? exit code 1 if not')
    .addOption(presetOption())
    .addOption(jsonOption())
    .addOption(new Option('--manifest <file>', 'a Kubernetes manifest, whose grace period is compared with the drain'))
    .action(({ json, preset, manifest }: CommonOptions & { manifest?: string }) => {
      const text = manifest === undefined ? undefined : readText(manifest);
      if (manifest !== undefined && text === undefined) return refuse(`${manifest} cannot be read`);
      // A variable that is not understood is one of its findings.
      const environment = configFromEnvironment(variablesWith(preset));
      const isReady = doctor(output, environment, { json, manifest: text });
      process.exitCode = isReady ? EXIT.ok : EXIT.missing;
    });
}

function addExplain(program: Command, output: Output): void {
  program
    .command('explain')
    .description(
      'show every option and setting: its value, the source of the value, its meaning, and the sockets that get it',
    )
    .addOption(presetOption())
    .addOption(jsonOption())
    .addOption(
      new Option('--port <port>', 'options of the listener on this port; with --connect, of sockets to it').argParser(
        parsePort,
      ),
    )
    .option('--connect', 'only options of outgoing sockets', false)
    .option('--all', 'also options that this system does not have', false)
    .action(
      ({ json, preset, port, connect, all }: CommonOptions & { port?: number; connect: boolean; all: boolean }) => {
        const variables = variablesWith(preset);
        explain(output, readConfig(variables), variables, { json, preset, port, connect, all });
      },
    );
}

function addBench(program: Command, output: Output): void {
  program
    .command('bench')
    .description('measure gain and cost of the preload on this machine, beside stock Node and other servers')
    .option('--quick', 'less work, more noise', false)
    .option('--only <name>', 'measure only this scenario; may be repeated', (name, all: readonly string[] = []) => [
      ...all,
      name,
    ])
    .option('--list', 'list the scenarios, and measure nothing', false)
    .option('--out <directory>', 'write node-N.json, results.md and a page with charts, index.html')
    .addOption(jsonOption())
    .action(async ({ list, ...options }: BenchOptions & { list: boolean }) => {
      if (list) return output.line(await scenarios());
      const { unavailable } = platform();
      // The clients of the benchmarks use native calls too.
      if (unavailable !== undefined) return refuse(`nothing can be measured: ${unavailable}; see socket-tune doctor`);
      const end = await bench(options);
      if (typeof end === 'boolean') process.exitCode = end ? EXIT.ok : EXIT.missing;
      else program.error(`error: ${end}`, { exitCode: EXIT.usage });
    });
}

function makeProgram(output: Output, version: string, preload: string): Command {
  const program = new Command('socket-tune')
    .description('Tuned sockets and sendfile(2) for unmodified Node.js servers.')
    .version(version)
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('(see socket-tune --help)')
    .configureHelp({ styleTitle: (text) => output.style('bold', text) });

  addDoctor(program, output);

  addExplain(program, output);

  program
    .command('verify')
    .description('set the options of this environment on test sockets, and print the values that the kernel then has')
    .addOption(presetOption())
    .addOption(jsonOption())
    .addOption(new Option('--samples', 'set a sample of every option instead').default(false, 'no').conflicts('preset'))
    .action(async ({ json, preset, samples }: CommonOptions & { samples: boolean }) => {
      const environment = samples ? undefined : readConfig(variablesWith(preset));
      process.exitCode = (await verify(output, environment, { json })) ? EXIT.ok : EXIT.missing;
    });

  program
    .command('top')
    .description('watch a tuned process: its listeners, its connections, and how its files are sent')
    .argument('[pid|url]', 'a process with SOCKET_TUNE_INSPECT, or its URL; by default the only such process')
    .addOption(jsonOption())
    .option('--once', 'print once', false)
    .addOption(new Option('--interval <seconds>', 'time between two snapshots').default(1).argParser(parseSeconds))
    .action(async (target: string | undefined, options: TopOptions) => {
      await top(output, target, options);
    });

  addBench(program, output);

  program
    .command('run')
    .description('run an app with the preload: socket-tune run [options of node] app.js …')
    .addOption(presetOption())
    .argument('<app...>', 'options of node, the script, and its arguments')
    .passThroughOptions()
    .allowUnknownOption()
    // Else commander would take a -h of the app for its own.
    .helpOption(false)
    .action(async (argv: string[], { preset }: CommonOptions, command: Command) => {
      if (argv[0] === '--help' || argv[0] === '-h') return command.outputHelp();
      process.exitCode = await run(preload, argv, preset === undefined ? {} : { [`${PREFIX}PRESET`]: preset });
    });
  return program;
}

/** Do what the command line says. */
export async function main(): Promise<void> {
  // A reader such as `head` closes the pipe when it has enough.
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) =>
    process.exit(code === 'EPIPE' ? EXIT.ok : EXIT.missing),
  );
  const output = makeOutput(process.stdout, readVariable('NO_COLOR'));
  const program = makeProgram(output, ownVersion(), new URL('./register.js', import.meta.url).href);
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof TopError) return refuse(error.message);
    // commander has printed what is wrong. Help and version end with 0.
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}
