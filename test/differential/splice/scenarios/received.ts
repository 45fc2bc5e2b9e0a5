import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { portOf } from '../../../support/sockets/socket-pair.js';
import type { Recorder } from '../../harness/recorder.js';
import { bulk, receive, send } from '../flow.js';
import type { Told } from '../forward.js';
import type { Order } from '../forwarding-child.js';
import { openLine } from '../line.js';
import { BROKEN_OFF, type SpliceScenario, spliceScenarios } from '../scenario.js';

const CHILD = fileURLToPath(new URL('../forwarding-child.js', import.meta.url));
const CLUSTER = fileURLToPath(new URL('../forwarding-cluster.js', import.meta.url));

/** Whether a child splices is for it to say, and for these scenarios to look at. */
function expectSpliced(spliced: number): string {
  if (!process.execArgv.includes('--import')) return 'as expected';
  const isOn = process.env.SOCKET_TUNE_SPLICE === 'auto';
  return isOn === spliced > 0 ? 'as expected' : `${spliced} bytes were spliced`;
}

/**
 * A child process forwards what it receives from `sender` to `target`.
 *
 * @param told resolves with what the child has seen
 */
async function expectForwarded(
  recorder: Recorder,
  sender: Socket,
  target: Server,
  told: Promise<[Told]>,
): Promise<void> {
  const [receiver] = (await once(target, 'connection')) as [Socket];
  const bytes = bulk();
  const received = receive(receiver);
  const end = once(receiver, 'end');
  await Promise.all([send(sender, bytes), end]);
  const [{ events, spliced }] = await told;
  recorder.note('events of the child', events);
  recorder.note('spliced', expectSpliced(spliced));
  recorder.note('received', received.verdict(bytes));
  sender.destroy();
  target.close();
  await once(target, 'close');
}

async function openTarget(): Promise<Server> {
  const target = createServer().listen(0, '127.0.0.1');
  await once(target, 'listening');
  return target;
}

/** A socket that a child process has not made itself is piped to one that it has. */
function forwarded(comesBy: Order['comesBy']): SpliceScenario {
  return {
    // By the child, and not by this process.
    travel: 'original',
    varying: BROKEN_OFF,
    async run(recorder) {
      const target = await openTarget();
      const child = fork(CHILD, { stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'] });
      await once(child, 'message');
      const exit = once(child, 'exit');
      const told = once(child, 'message') as Promise<[Told]>;
      const order: Order = { port: portOf(target), comesBy };
      let sender = child.stdio[4] as unknown as Socket;
      if (comesBy === 'message') {
        const line = await openLine(recorder);
        line.sink.destroy();
        child.send(order, line.source);
        sender = line.sender;
      } else child.send(order);
      await expectForwarded(recorder, sender, target, told);
      await exit;
    },
  };
}

/** A worker pipes a connection of the cluster's port. */
function workersOwn(policy: 'rr' | 'none'): SpliceScenario {
  return {
    // By the worker, and not by this process.
    travel: 'original',
    async run(recorder) {
      const target = await openTarget();
      const child = fork(CLUSTER, {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        env: { ...process.env, NODE_CLUSTER_SCHED_POLICY: policy },
      });
      const exit = once(child, 'exit');
      child.send(portOf(target));
      const [port] = (await once(child, 'message')) as [number];
      const told = once(child, 'message') as Promise<[Told]>;
      await expectForwarded(recorder, connect(port, '127.0.0.1'), target, told);
      await exit;
    },
  };
}

export const scenarios = spliceScenarios({
  'a socket that came by a message': forwarded('message'),
  'a socket that was there as a descriptor': forwarded('descriptor'),
  'a connection that the primary of a cluster accepted': workersOwn('rr'),
  'a connection that a worker of a cluster accepted': workersOwn('none'),
});
