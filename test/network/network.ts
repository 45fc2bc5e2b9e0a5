import { spawnSync } from 'node:child_process';

/** A machine of its own at the other end of a cable that can be cut. */
export interface Network {
  /** Its address there. */
  readonly address: string;
  /** What runs a program there. */
  readonly there: readonly string[];
  /** Drops everything in both directions, without any error. */
  cut(): void;
  close(): void;
}

function ip(...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}

/** The other end's, so that this end need not ask for it. */
const HARDWARE_ADDRESS = '02:00:00:00:00:02';

/**
 * A network namespace and a pair of virtual interfaces.
 *
 * @throws where it may not be made: without root, or in a container
 */
export function makeNetwork(): Network {
  const name = `tune${process.pid}`;
  // Of the block that is for benchmarks (RFC 2544).
  const prefix = `198.18.${process.pid % 256}`;
  const [here, there] = [`${name}a`, `${name}b`];
  const address = `${prefix}.2`;
  ip('netns', 'add', name);
  const close = (): void => {
    process.off('exit', close);
    // The pair of interfaces goes with it.
    spawnSync('ip', ['netns', 'del', name]);
    spawnSync('ip', ['link', 'del', here]);
  };
  process.once('exit', close);
  try {
    ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name, 'address', HARDWARE_ADDRESS);
    ip('addr', 'add', `${prefix}.1/30`, 'dev', here);
    ip('link', 'set', here, 'up');
    ip('-n', name, 'addr', 'add', `${address}/30`, 'dev', there);
    ip('-n', name, 'link', 'set', there, 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
    // On most ways a router stands in between, which stays. Without one, the kernel would notice that nobody answers its question
    // for the hardware address, and have that for the error.
    ip('neigh', 'replace', address, 'lladdr', HARDWARE_ADDRESS, 'dev', here, 'nud', 'permanent');
  } catch (error) {
    close();
    throw error;
  }
  return {
    address,
    there: ['ip', 'netns', 'exec', name],
    cut: () => ip('-n', name, 'link', 'set', there, 'down'),
    close,
  };
}

/** Why such a network cannot be made here. `undefined` if it can. */
export function networkObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'this is not Linux';
  try {
    makeNetwork().close();
    return undefined;
  } catch (error) {
    return `there is no network to be had: ${String(error)}`;
  }
}
