import { expect } from 'chai';
import { ACCEPTED, countForPrimary } from '../../../src/hooks/shared-port/accepted-count.js';
import type { ListenHandle } from '../../../src/node/net.js';
import type { ListenerRecord } from '../../../src/report/listener-record.js';

/** A listener that notes whether it is closed. */
interface FakeListener extends ListenHandle {
  isClosed: boolean;
  close(): void;
}

describe('what a worker reports to its primary', () => {
  const parent: { send?: unknown; connected?: unknown } = process;
  const { send, connected } = parent;
  const { setInterval, clearInterval } = globalThis;
  let sent: unknown[] = [];
  let timers: (() => void)[] = [];
  const open: FakeListener[] = [];

  /** A second passes. */
  const tick = (): void => {
    for (const timer of timers) timer();
  };

  beforeEach(() => {
    sent = [];
    timers = [];
    parent.connected = true;
    parent.send = ({ cmd, act, address, data }: Record<string, unknown>) => {
      expect([cmd, act]).to.deep.equal(['NODE_CLUSTER', ACCEPTED]);
      sent.push(`${address} ${data}`);
      return true;
    };
    Reflect.set(globalThis, 'setInterval', (act: () => void, pause: number) => {
      expect(pause).to.equal(1000);
      timers.push(act);
      return { unref: () => act };
    });
    Reflect.set(globalThis, 'clearInterval', (act: () => void) => {
      timers = timers.filter((timer) => timer !== act);
    });
  });

  afterEach(() => {
    for (const listener of open.splice(0)) if (!listener.isClosed) listener.close();
    Object.assign(globalThis, { setInterval, clearInterval });
    for (const [name, value] of Object.entries({ send, connected }))
      if (value === undefined) Reflect.deleteProperty(parent, name);
      else Reflect.set(parent, name, value);
  });

  function counted(address: string): { record: ListenerRecord; listener: FakeListener } {
    const record = { address, outcomes: [], accepted: [], connections: 0 };
    const listener: FakeListener = {
      isClosed: false,
      close() {
        this.isClosed = true;
      },
    };
    open.push(listener);
    countForPrimary(record, listener);
    return { record, listener };
  }

  it('is the number of connections so far, once a second, if there were new ones', () => {
    const { record } = counted('a:1');
    tick();
    expect(sent).to.deep.equal([]);
    record.connections = 3;
    tick();
    tick();
    expect(sent).to.deep.equal(['a:1 3']);
    record.connections = 5;
    tick();
    expect(sent).to.deep.equal(['a:1 3', 'a:1 5']);
  });

  it('is told for all listeners by one timer', () => {
    const [one, other] = [counted('a:1'), counted('a:2')];
    one.record.connections = 1;
    other.record.connections = 2;
    expect(timers).to.have.lengthOf(1);
    tick();
    expect(sent).to.deep.equal(['a:1 1', 'a:2 2']);
  });

  it('is told again if it could not be sent', () => {
    const { record } = counted('a:1');
    record.connections = 3;
    parent.connected = false;
    tick();
    expect(sent).to.deep.equal([]);
    parent.connected = true;
    tick();
    expect(sent).to.deep.equal(['a:1 3']);
  });

  it('is told a last time before the listener closes, and the timer ends with the last listener', () => {
    const [one, other] = [counted('a:1'), counted('a:2')];
    one.record.connections = 3;
    one.listener.close();
    expect(one.listener.isClosed).to.equal(true);
    expect(sent).to.deep.equal(['a:1 3']);
    one.record.connections = 4;
    other.record.connections = 7;
    tick();
    expect(sent).to.deep.equal(['a:1 3', 'a:2 7']);
    other.listener.close();
    expect(other.listener.isClosed).to.equal(true);
    expect(timers).to.deep.equal([]);
    expect(sent).to.have.lengthOf(2);
  });

  it('begins anew with a listener that comes later', () => {
    counted('a:1').listener.close();
    const { record } = counted('a:1');
    record.connections = 1;
    tick();
    expect(sent).to.deep.equal(['a:1 1']);
  });
});
