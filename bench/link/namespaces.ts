import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

/** Two network namespaces, as two machines without a path yet. */
export interface Namespaces {
  readonly server: string;
  readonly client: string;
  remove(): void;
}

/** Prefix of a command that runs in a namespace. */
export function within(namespace: string, command: readonly string[]): string[] {
  return ['ip', 'netns', 'exec', namespace, ...command];
}

function run(command: readonly string[]): void {
  const [program = '', ...args] = command;
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${error?.message ?? stderr.trim()}`);
}

export function ip(...args: readonly string[]): void {
  run(['ip', ...args]);
}

/** Sysctls of each namespace. They are its own, so nothing outside changes. */
const SETTINGS: Readonly<Record<string, string | number>> = {
  // Without IPv6: router solicitations would take losses that are meant for other packets.
  'ipv6/conf/all/disable_ipv6': 1,
  'ipv6/conf/default/disable_ipv6': 1,
  'ipv4/tcp_fastopen': 3,
  // A connection must not start with metrics of an earlier one.
  'ipv4/tcp_no_metrics_save': 1,
};

/** Set sysctls below /proc/sys/net in a namespace. */
export function setWithin(namespace: string, setting: string, value: string | number): void {
  run(within(namespace, ['sh', '-c', `echo ${value} > /proc/sys/net/${setting}`]));
}

const ALLOWED = '/proc/sys/net/ipv4/tcp_allowed_congestion_control';

/**
 * Set the congestion control of namespaces. They may only use those that the machine allows to everybody: its default and reno. So the
 * machine's list is longer during this call.
 */
export function setCongestionControl(namespaces: readonly string[], name: string): void {
  const allowed = readFileSync(ALLOWED, 'latin1').trim();
  const isAllowed = allowed.split(' ').includes(name);
  if (!isAllowed) writeFileSync(ALLOWED, `${allowed} ${name}`);
  try {
    for (const namespace of namespaces) setWithin(namespace, 'ipv4/tcp_congestion_control', name);
  } finally {
    if (!isAllowed) writeFileSync(ALLOWED, allowed);
  }
}

let made = 0;

/** @throws where namespaces are not allowed: without root, or in a container */
export function makeNamespaces(): Namespaces {
  const name = `tune-link${process.pid}-${made++}`;
  const both = [`${name}s`, `${name}c`] as const;
  const remove = (): void => {
    process.off('exit', remove);
    for (const namespace of both) spawnSync('ip', ['netns', 'del', namespace]);
  };
  process.once('exit', remove);
  try {
    for (const namespace of both) {
      ip('netns', 'add', namespace);
      ip('-n', namespace, 'link', 'set', 'lo', 'up');
      for (const [setting, value] of Object.entries(SETTINGS)) setWithin(namespace, setting, value);
    }
  } catch (error) {
    remove();
    throw error;
  }
  return { server: both[0], client: both[1], remove };
}
