import { expect } from 'chai';
import { Handoff, type HandoffGroup } from '../../../src/hooks/shared-port/handoff.js';
import type { SocketHandle } from '../../../src/node/net.js';
import { type FakeWorker, fakeWorker } from './fake-worker.js';

const KEY = 'a key';

/** A connection that notes whether it is closed. */
interface FakeClient extends SocketHandle {
  isClosed: boolean;
  close(): void;
}

describe('connections that the primary hands to workers', () => {
  let workers: FakeWorker[];
  let groups: Map<string, HandoffGroup>;
  let accepted: number;
  let handoff: Handoff;

  beforeEach(() => {
    workers = [1, 2, 3].map((id) => fakeWorker(id));
    accepted = 0;
    groups = new Map([[KEY, groupOf([1, 2, 3])]]);
    handoff = new Handoff((key) => groups.get(key));
  });

  afterEach(() => {
    for (const worker of workers) worker.exit();
  });

  function groupOf(ids: readonly number[]): HandoffGroup {
    return {
      workers: ids,
      turn: 0,
      onAccepted() {
        accepted++;
      },
    };
  }

  function client(): FakeClient {
    return {
      isClosed: false,
      close() {
        this.isClosed = true;
      },
    };
  }

  function send(): FakeClient {
    const made = client();
    handoff.send(KEY, made);
    return made;
  }

  const counts = (): number[] => workers.map(({ sent }) => sent.length);

  /** The `seq` of what a worker was sent last. */
  function lastSeq(index: number): string {
    const seq = workers[index]?.sent.at(-1)?.message.seq;
    if (typeof seq !== 'string') throw new Error('nothing was sent to it');
    return seq;
  }

  it('are sent to one after the other, each with a number of its own', () => {
    for (let count = 0; count < 6; count++) send();
    expect(counts()).to.deep.equal([2, 2, 2]);
    const seqs = workers.flatMap(({ sent }) => sent.map(({ message }) => message.seq));
    expect(new Set(seqs)).to.have.property('size', 6);
    expect(workers[0]?.sent[0]?.message).to.deep.include({ cmd: 'NODE_CLUSTER', act: 'newconn', key: KEY });
  });

  it('are counted and closed here once a worker has accepted them', () => {
    const made = send();
    expect(made.isClosed).to.equal(false);
    expect(handoff.settle(lastSeq(0), true)).to.equal(true);
    expect(made.isClosed).to.equal(true);
    expect(accepted).to.equal(1);
    expect(handoff.settle(lastSeq(0), true)).to.equal(false);
    expect(accepted).to.equal(1);
  });

  it('are sent to the others if a worker declines, and closed if all do', () => {
    const made = send();
    handoff.settle(lastSeq(0), false);
    expect(counts().reduce((sum, count) => sum + count)).to.equal(2);
    const second = workers[1]?.sent.length === 1 ? 1 : 2;
    expect(workers[second]?.sent[0]?.handle).to.equal(made);
    handoff.settle(lastSeq(second), false);
    expect(counts()).to.deep.equal([1, 1, 1]);
    expect(made.isClosed).to.equal(false);
    handoff.settle(lastSeq(second === 1 ? 2 : 1), false);
    expect(counts()).to.deep.equal([1, 1, 1]);
    expect(made.isClosed).to.equal(true);
    expect(accepted).to.equal(0);
  });

  it('are sent to another worker if the message does not arrive', () => {
    const made = send();
    workers[0]?.sent[0]?.done(null);
    expect(counts()).to.deep.equal([1, 0, 0]);
    workers[0]?.sent[0]?.done(new Error('EPIPE'));
    expect(counts()).to.deep.equal(workers.map(({ sent }) => (sent.length === 1 ? 1 : 0)));
    expect(counts().reduce((sum, count) => sum + count)).to.equal(2);
    expect(made.isClosed).to.equal(false);
  });

  it('are not sent to a worker that is disconnected, or has ended', () => {
    if (workers[0]) workers[0].isConnected = false;
    workers[1]?.exit();
    for (let count = 0; count < 4; count++) send();
    expect(counts()).to.deep.equal([0, 0, 4]);
  });

  it('are closed where there is no worker, or no group any more', () => {
    groups.set(KEY, groupOf([]));
    expect(send().isClosed).to.equal(true);
    groups.clear();
    expect(send().isClosed).to.equal(true);
    expect(counts()).to.deep.equal([0, 0, 0]);
  });

  it('are closed if the group has ended when a worker declines', () => {
    const made = send();
    groups.clear();
    expect(handoff.settle(lastSeq(0), false)).to.equal(true);
    expect(made.isClosed).to.equal(true);
  });

  it('are closed if their worker goes: it may have begun to answer. Those of the others stay', () => {
    const [first, second] = [send(), send()];
    handoff.forget(1);
    expect([first.isClosed, second.isClosed]).to.deep.equal([true, false]);
    expect(handoff.settle(lastSeq(0), false)).to.equal(false);
    expect(handoff.settle(lastSeq(1), true)).to.equal(true);
  });

  it('have nothing to do with answers to messages of Node', () => {
    expect(handoff.settle('7', true)).to.equal(false);
  });
});
