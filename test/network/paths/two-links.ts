import { spawnSync } from 'node:child_process';

/** One of the cables between two machines. */
export interface Cable {
  /** Interface and address at the near end. */
  readonly device: string;
  readonly near: string;
  /** Address at the far end. */
  readonly far: string;
}

/** Two machines of their own, with two cables between them. */
export interface TwoLinks {
  readonly first: Cable;
  readonly second: Cable;
  /** What runs a program on them. */
  readonly near: readonly string[];
  readonly far: readonly string[];
  /** What a program prints there. */
  runNear(command: string, ...args: readonly string[]): string;
  runFar(command: string, ...args: readonly string[]): string;
  close(): void;
}

function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
  return stdout;
}

let made = 0;

/**
 * Two network namespaces and two pairs of virtual interfaces. Whoever asks the far machine by the address of a cable is answered over that one.
 *
 * @throws where they may not be made: without root, or in a container
 */
export function makeTwoLinks(): TwoLinks {
  const name = `links-${process.pid}-${made++}`;
  const [near, far] = [`${name}-n`, `${name}-f`];
  const cables = ['first', 'second'].map((device, index) => ({
    device,
    near: `10.254.${index + 1}.1`,
    far: `10.254.${index + 1}.2`,
  }));
  const [first, second] = cables;
  const there = (namespace: string): readonly string[] => ['ip', 'netns', 'exec', namespace];
  const runIn = (namespace: string, command: string, ...args: readonly string[]): string =>
    run('ip', 'netns', 'exec', namespace, command, ...args);
  const close = (): void => {
    process.off('exit', close);
    // The interfaces go with them.
    for (const namespace of [near, far]) spawnSync('ip', ['netns', 'del', namespace]);
  };
  process.once('exit', close);
  try {
    for (const namespace of [near, far]) {
      run('ip', 'netns', 'add', namespace);
      run('ip', '-n', namespace, 'link', 'set', 'lo', 'up');
    }
    for (const [index, cable] of cables.entries()) {
      const { device } = cable;
      run('ip', '-n', near, 'link', 'add', device, 'type', 'veth', 'peer', 'name', device, 'netns', far);
      const table = String(index + 1);
      for (const [namespace, address] of [
        [near, cable.near],
        [far, cable.far],
      ] as const) {
        run('ip', '-n', namespace, 'addr', 'add', `${address}/24`, 'dev', device);
        run('ip', '-n', namespace, 'link', 'set', device, 'up');
        run('ip', '-n', namespace, 'route', 'add', 'default', 'dev', device, 'table', table);
        run('ip', '-n', namespace, 'rule', 'add', 'from', address, 'table', table);
      }
    }
  } catch (error) {
    close();
    throw error;
  }
  if (first === undefined || second === undefined) throw new Error('no cables');
  return {
    first,
    second,
    near: there(near),
    far: there(far),
    runNear: (command, ...args) => runIn(near, command, ...args),
    runFar: (command, ...args) => runIn(far, command, ...args),
    close,
  };
}

/** Why such machines cannot be made here. `undefined` if they can. */
export function twoLinksObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'this is not Linux';
  try {
    makeTwoLinks().close();
    return undefined;
  } catch (error) {
    return `there are no two links to be had: ${String(error)}`;
  }
}
