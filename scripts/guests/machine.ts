import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { command, isInstalled } from './command.js';
import type { Debian } from './debian.js';
import { kernelImage, makeDisk, makeInitramfs } from './disk.js';
import type { Finding, Mark } from './finding.js';
import type { Architecture, EmulatedGuest, Guest, LocalGuest } from './guests.js';
import type { Plan } from './inside/main.js';
import { npmPackage } from './npm.js';
import { makeProject } from './project.js';

const MARK: Mark = 'guest-finding:';

/** Emulation on a busy machine is slow. A guest that hangs ends here. */
const MINUTES_PER_NODE = 5;
const MINUTES_TO_BOOT = 2;

interface Emulator {
  readonly program: string;
  readonly package: string;
  readonly arguments: readonly string[];
  readonly console: string;
}

/** Emulated processors, so neither the host's processor nor its kernel matters. `max` has all that the emulator can do. */
const EMULATORS: Readonly<Record<Architecture, Emulator>> = {
  amd64: {
    program: 'qemu-system-x86_64',
    package: 'qemu-system-x86',
    arguments: ['-M', 'q35', '-cpu', 'max'],
    console: 'ttyS0',
  },
  arm64: {
    program: 'qemu-system-aarch64',
    package: 'qemu-system-arm',
    // Its pointer authentication is slow to emulate.
    arguments: ['-M', 'virt', '-cpu', 'max,pauth-impdef=on'],
    console: 'ttyAMA0',
  },
};

/** Why a guest cannot be had on this machine, if so. */
export function whatIsMissing(guest: Guest): string | undefined {
  if (guest.machine === 'qemu') {
    const { program, package: name } = EMULATORS[guest.architecture];
    return isInstalled(program) ? undefined : `${program} is not installed: apt-get install ${name}`;
  }
  if (guest.machine === 'here' || isInstalled('wine')) return undefined;
  return 'wine is not installed: apt-get install wine64 wine';
}

/** What a guest told, and all that it wrote. */
export interface Told {
  readonly findings: readonly Finding[];
  readonly console: string;
}

/** The findings in the lines of a console. */
export function findingsIn(text: string): Finding[] {
  // A serial console ends its lines with CR LF, and firmware may have written before the first.
  return text.split(/\r*\n/).flatMap((line) => {
    const at = line.indexOf(MARK);
    return at < 0 ? [] : [JSON.parse(line.slice(at + MARK.length)) as Finding];
  });
}

function runIntoFile(
  [program = '', ...args]: readonly string[],
  file: string,
  minutes: number,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const output = openSync(file, 'w');
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', output, output],
      env,
      timeout: minutes * 60_000,
      killSignal: 'SIGKILL',
    });
    child.on('error', reject);
    child.on('close', () => {
      closeSync(output);
      resolve(readFileSync(file, 'utf8'));
    });
  });
}

async function runEmulated(
  guest: EmulatedGuest,
  debian: Debian,
  cache: string,
  verify: readonly string[],
): Promise<Told> {
  const { architecture, kernel, nodes } = guest;
  const emulator = EMULATORS[architecture];
  const folder = debian.kernel(kernel, architecture);
  const disk = makeDisk(guest, debian, cache, verify);
  const initramfs = kernel.modules === undefined ? [] : ['-initrd', makeInitramfs(guest, folder, debian, cache)];
  const words = [`console=${emulator.console}`, 'root=/dev/nvme0n1', 'rw', 'init=/init', 'quiet', 'panic=-1'];
  const line = [
    emulator.program,
    ...emulator.arguments,
    ...['-accel', 'tcg,thread=multi', '-smp', '2', '-m', '1500', '-nographic', '-no-reboot', '-nic', 'none'],
    ...['-drive', `file=${disk},if=none,id=disk,format=raw,snapshot=on`, '-device', 'nvme,drive=disk,serial=1'],
    ...['-kernel', kernelImage(folder), ...initramfs, '-append', [...words, ...(kernel.parameters ?? [])].join(' ')],
  ];
  const minutes = MINUTES_TO_BOOT + nodes.length * MINUTES_PER_NODE;
  const console = await runIntoFile(line, join(cache, `${guest.name}.console`), minutes);
  rmSync(disk);
  return { findings: findingsIn(console), console };
}

const LINUX = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64';

/** Wine says that it is Windows 7 unless it is told otherwise, and Node wants Windows 10. */
function windowsTen(cache: string): NodeJS.ProcessEnv {
  const env = { ...process.env, WINEPREFIX: join(cache, 'wine'), WINEDEBUG: '-all' };
  command('wine', ['reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f'], { env });
  return env;
}

async function runLocal(guest: LocalGuest, cache: string, verify: readonly string[]): Promise<Told> {
  const isWine = guest.machine === 'wine';
  const system = isWine ? 'win32-x64' : LINUX;
  const project = join(cache, `project-${guest.name}`);
  makeProject(project, system, cache);
  const files = join(project, 'files');
  const plan: Plan = {
    directories: isWine ? [files] : [files, '/dev/shm/socket-tune-guests'],
    dropCaches: false,
    verify,
  };
  const env = isWine ? windowsTen(cache) : process.env;
  let console = '';
  for (const version of guest.nodes) {
    const folder = npmPackage(cache, `node-${isWine ? 'win-x64' : system}@${version}`);
    const node = isWine ? ['wine', join(folder, 'bin/node.exe')] : [join(folder, 'bin/node')];
    const line = [...node, join(project, 'inside/main.js'), JSON.stringify(plan)];
    console += await runIntoFile(line, join(cache, `${guest.name}.console`), MINUTES_PER_NODE, env);
  }
  for (const directory of plan.directories) rmSync(directory, { recursive: true, force: true });
  return { findings: findingsIn(console), console };
}

/**
 * Start a guest, and wait until it has ended.
 *
 * @param cache for what is downloaded, for disks, and for the guest's console
 * @param verify arguments of `socket-tune verify`
 */
export function runGuest(guest: Guest, debian: Debian, cache: string, verify: readonly string[]): Promise<Told> {
  mkdirSync(cache, { recursive: true });
  return guest.machine === 'qemu' ? runEmulated(guest, debian, cache, verify) : runLocal(guest, cache, verify);
}
