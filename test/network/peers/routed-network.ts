import { spawnSync } from 'node:child_process';

/** A machine behind a router. The cable between the two can be cut, and the router can forget connections as a NAT does. */
export interface RoutedNetwork {
  /** Its address, and the address that it has this machine by. */
  readonly address: string;
  readonly here: string;
  /** What runs a program there. */
  readonly there: readonly string[];
  /** Takes the far cable down. The router answers that the machine is unreachable. */
  cut(): void;
  /** The router drops what belongs to open connections, and says nothing. */
  forget(): void;
  close(): void;
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}

let made = 0;

/**
 * Two network namespaces, one behind the other.
 *
 * @throws where they may not be made: without root, or in a container
 */
export function makeRoutedNetwork(): RoutedNetwork {
  const name = `deadpeer-${process.pid}-${made}`;
  const [router, far] = [`${name}-r`, `${name}-f`];
  const link = `dp${process.pid % 100_000}x${made}`;
  // Of the block that is for benchmarks (RFC 2544).
  const prefix = `198.19.${(process.pid * 7 + made * 31) % 256}`;
  made++;
  const close = (): void => {
    process.off('exit', close);
    for (const namespace of [router, far]) spawnSync('ip', ['netns', 'del', namespace]);
    spawnSync('ip', ['link', 'del', `${link}a`]);
  };
  process.once('exit', close);
  const inRouter = (...args: readonly string[]): void => run('ip', '-n', router, ...args);
  const inFar = (...args: readonly string[]): void => run('ip', '-n', far, ...args);
  try {
    run('ip', 'netns', 'add', router);
    run('ip', 'netns', 'add', far);
    run('ip', 'link', 'add', `${link}a`, 'type', 'veth', 'peer', 'name', `${link}b`, 'netns', router);
    run('ip', '-n', router, 'link', 'add', `${link}c`, 'type', 'veth', 'peer', 'name', `${link}d`, 'netns', far);
    run('ip', 'addr', 'add', `${prefix}.1/30`, 'dev', `${link}a`);
    run('ip', 'link', 'set', `${link}a`, 'up');
    inRouter('addr', 'add', `${prefix}.2/30`, 'dev', `${link}b`);
    inRouter('addr', 'add', `${prefix}.5/30`, 'dev', `${link}c`);
    for (const device of [`${link}b`, `${link}c`, 'lo']) inRouter('link', 'set', device, 'up');
    inFar('addr', 'add', `${prefix}.6/30`, 'dev', `${link}d`);
    for (const device of [`${link}d`, 'lo']) inFar('link', 'set', device, 'up');
    inFar('route', 'add', 'default', 'via', `${prefix}.5`);
    run('ip', 'netns', 'exec', router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    run('ip', 'route', 'add', `${prefix}.4/30`, 'via', `${prefix}.2`);
    run(
      'ip',
      'netns',
      'exec',
      router,
      'nft',
      'add table ip cable; add chain ip cable forward { type filter hook forward priority 0; }',
    );
  } catch (error) {
    close();
    throw error;
  }
  return {
    address: `${prefix}.6`,
    here: `${prefix}.1`,
    there: ['ip', 'netns', 'exec', far],
    cut: () => inFar('link', 'set', `${link}d`, 'down'),
    forget: () => run('ip', 'netns', 'exec', router, 'nft', 'add rule ip cable forward meta l4proto tcp drop'),
    close,
  };
}

/** Why such a network cannot be made here. `undefined` if it can. */
export function routedNetworkObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'this is not Linux';
  try {
    makeRoutedNetwork().close();
    return undefined;
  } catch (error) {
    return `there is no network to be had: ${String(error)}`;
  }
}
