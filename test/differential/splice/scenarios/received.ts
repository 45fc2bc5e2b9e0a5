import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { portOf } from '../../../support/sockets/socket-pair.js';
import { bulk, receive, send } from '../flow.js';
import type { Order, Told } from '../forwarding-child.js';
import { openLine } from '../line.js';
import { BROKEN_OFF, type SpliceScenario, spliceScenarios } from '../scenario.js';

const CHILD = fileURLToPath(new URL('../forwarding-child.js', import.meta.url));

/** Whether a child splices is for it to say, and for these scenarios to look at. */
function expectSpliced(spliced: number): string {
  if (!process.execArgv.includes('--import')) return 'as expected';
  const isOn = process.env.SOCKET_TUNE_SPLICE === 'auto';
  return isOn === spliced > 0 ? 'as expected' : `${spliced} bytes were spliced`;
}

/** A socket that a child process has not made itself is piped to one that it has. */
function forwarded(comesBy: Order['comesBy']): SpliceScenario {
  return {
    // By the child, and not by this process.
    travel: 'original',
    varying: BROKEN_OFF,
    async run(recorder) {
      const target = createServer().listen(0, '127.0.0.1');
      await once(target, 'listening');
      const child = fork(CHILD, { stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'] });
      await once(child, 'message');
      const exit = once(child, 'exit');
      const order: Order = { port: portOf(target), comesBy };
      let sender = child.stdio[4] as unknown as Socket;
      if (comesBy === 'message') {
        const line = await openLine(recorder);
        line.sink.destroy();
        child.send(order, line.source);
        sender = line.sender;
      } else child.send(order);
      const [receiver] = (await once(target, 'connection')) as [Socket];
      const bytes = bulk();
      const received = receive(receiver);
      const end = once(receiver, 'end');
      const message = once(child, 'message');
      await Promise.all([send(sender, bytes), end]);
      const [{ events, spliced }] = (await message) as [Told];
      recorder.note('events of the child', events);
      recorder.note('spliced', expectSpliced(spliced));
      recorder.note('received', received.verdict(bytes));
      await exit;
      sender.destroy();
      target.close();
      await once(target, 'close');
    },
  };
}

export const scenarios = spliceScenarios({
  'a socket that came by a message': forwarded('message'),
  'a socket that was there as a descriptor': forwarded('descriptor'),
});
