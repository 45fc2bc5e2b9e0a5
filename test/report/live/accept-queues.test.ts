import { expect } from 'chai';
import type { Platform } from '../../../src/native/platform.js';
import type { AcceptQueue } from '../../../src/native/sockets/accept-queue.js';
import type { ListenHandle } from '../../../src/node/net.js';
import type { OptionOutcome, Verdict } from '../../../src/options/outcome.js';
import { addListenerRecord, type ListenerRecord, type QueueRecord } from '../../../src/report/listener-record.js';
import { lookAtQueues, noteAccepted, noteListener, watchQueues } from '../../../src/report/live/accept-queues.js';
import { fakePlatform } from '../../support/fake-platform.js';
import { until } from '../../support/until.js';

function backlog(verdict: Verdict, asked: number): OptionOutcome {
  return { option: 'backlog', constant: 'listen(2)', asked, verdict };
}

/** A listener of a system with these limits, which is looked at. */
class Listener {
  queue: AcceptQueue | undefined = { length: 0, limit: 128, drops: 0 };
  looks = 0;
  /** Of all listeners of the network namespace. */
  dropsOfAll = 1000;
  readonly record: ListenerRecord;
  readonly #handle = {} as ListenHandle;

  constructor(somaxconn: number, ...outcomes: OptionOutcome[]) {
    this.record = { address: '127.0.0.1:80', outcomes, accepted: [], connections: 0 };
    const platform: Platform = fakePlatform({
      acceptQueue: () => {
        this.looks++;
        return this.queue;
      },
      limitOf: () => `net.core.somaxconn=${somaxconn}`,
      listenCounters: () => ({ overflows: 0, drops: this.dropsOfAll }),
    });
    addListenerRecord(this.record);
    noteListener(platform, this.#handle, this.record);
  }

  look(): QueueRecord | undefined {
    lookAtQueues();
    return this.record.acceptQueue;
  }
}

describe('the accept queues of the report', () => {
  it('name what makes their limit', () => {
    expect(new Listener(128, backlog('clamped', 4096)).look()?.raise).to.equal('net.core.somaxconn');
    expect(new Listener(128, backlog('unneeded', 100)).look()?.raise).to.equal('net.core.somaxconn');
    expect(new Listener(128).look()?.raise).to.equal('net.core.somaxconn');
    expect(new Listener(128, backlog('applied', 128)).look()?.raise).to.equal(
      'net.core.somaxconn and SOCKET_TUNE_BACKLOG',
    );
    expect(new Listener(4096, backlog('applied', 128)).look()?.raise).to.equal('SOCKET_TUNE_BACKLOG');
    const app = 'the backlog of listen() or SOCKET_TUNE_BACKLOG';
    expect(new Listener(4096, backlog('unneeded', 100)).look()?.raise).to.equal(app);
    expect(new Listener(4096).look()?.raise).to.equal(app);
  });

  it('keep the greatest length that was seen', () => {
    const listener = new Listener(4096);
    listener.dropsOfAll += 5;
    listener.queue = { length: 7, limit: 128, drops: 2 };
    expect(listener.look()).to.include({ length: 7, highest: 7, drops: 2 });
    listener.queue = { length: 1, limit: 128, drops: 3 };
    expect(listener.look()).to.include({ length: 1, highest: 7, drops: 3 });
  });

  it('have dropped no more than all listeners of the namespace: an ACK that TCP_DEFER_ACCEPT holds back is no loss', () => {
    const listener = new Listener(4096);
    listener.queue = { length: 0, limit: 128, drops: 20 };
    expect(listener.look()).to.include({ drops: 0 });
    listener.dropsOfAll += 3;
    expect(listener.look()).to.include({ drops: 3 });
  });

  it('are as they were when the listener was closed, but empty, and are not looked at any more', () => {
    const listener = new Listener(4096);
    listener.dropsOfAll += 2;
    listener.queue = { length: 7, limit: 128, drops: 2 };
    listener.look();
    listener.queue = undefined;
    expect(listener.look()).to.deep.include({ length: 0, highest: 7, drops: 2, limit: 128, closed: true });
    const { looks } = listener;
    listener.look();
    expect(listener.looks).to.equal(looks);
  });

  it('are absent of a listener that has none', () => {
    const listener = new Listener(4096);
    listener.queue = undefined;
    expect(listener.look()).to.equal(undefined);
    expect(listener.record).not.to.have.property('acceptQueue');
  });

  it('are looked at before the connections of a burst are taken, while somebody watches, and not at each', async () => {
    const listener = new Listener(4096);
    listener.queue = { length: 99, limit: 128, drops: 0 };
    noteAccepted(listener.record);
    expect(listener.looks).to.equal(0);
    const unwatch = watchQueues();
    const other = watchQueues();
    other();
    for (let count = 0; count < 50; count++) noteAccepted(listener.record);
    // One of them has been taken. A pause of the machine may be between two.
    expect(listener.record.acceptQueue?.highest).to.equal(100);
    expect(listener.looks).to.be.within(1, 10);
    listener.queue = { length: 109, limit: 128, drops: 0 };
    await until('some time has passed', () => {
      noteAccepted(listener.record);
      return listener.record.acceptQueue?.highest === 110;
    });
    unwatch();
    const { looks } = listener;
    await new Promise((resolve) => setTimeout(resolve, 20));
    noteAccepted(listener.record);
    expect(listener.looks).to.equal(looks);
  });
});
