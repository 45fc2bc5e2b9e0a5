import { createServer, type Server } from 'node:net';
import { expect } from 'chai';
import type { HookContext } from '../../../src/hooks/context.js';
import { type RemoteListeners, tuneReceivedSocket } from '../../../src/hooks/sockets/received-socket.js';
import { tuningOf } from '../../../src/hooks/sockets/tuning.js';
import type { HandleMessage } from '../../../src/node/cluster.js';
import { asNetSocket, type SocketHandle } from '../../../src/node/net.js';
import type { OptionValues } from '../../../src/options/table.js';
import { counters } from '../../../src/report/counters.js';
import { type ListenerRecord, listenerRecords } from '../../../src/report/listener-record.js';
import { useScratch } from '../../support/files/scratch.js';
import { hookContext, type ObservedPlatform, observedPlatform } from '../../support/hook-context.js';
import { kernelValue, setKernelValue } from '../../support/sockets/kernel-value.js';
import { connection, handleOf, listening, portOf, type SocketPair } from '../../support/sockets/socket-pair.js';

const VALUES: OptionValues = { noDelay: true, userTimeout: 54_321 };

/** A socket that a server of the other process has accepted, by the name that the server has there. */
const NAMED: HandleMessage = { type: 'net.Socket', key: '4:127.0.0.1:80' };

describe('a socket that another process has sent', () => {
  const scratch = useScratch();
  const pairs: SocketPair[] = [];
  let server: Server;
  let platform: ObservedPlatform;
  let context: HookContext;
  let listeners: RemoteListeners;

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    server = await listening();
  });

  after(() => server?.close());

  beforeEach(() => {
    platform = observedPlatform();
    context = hookContext(VALUES, platform);
    listeners = new Map();
  });

  afterEach(() => {
    for (const pair of pairs.splice(0)) pair.close();
  });

  async function connected(to: Server = server): Promise<SocketPair> {
    const pair = await connection(to);
    pairs.push(pair);
    return pair;
  }

  const accepted = async (): Promise<SocketHandle> => handleOf((await connected()).accepted);

  /** The records of listeners elsewhere that came of it. */
  function receive(message: HandleMessage, ...handles: readonly SocketHandle[]): readonly ListenerRecord[] {
    const known = new Set(listenerRecords());
    for (const handle of handles) tuneReceivedSocket(context, listeners, message, handle);
    return listenerRecords().filter((record) => !known.has(record));
  }

  const sets = (): string[] => platform.calls.filter(({ call }) => call === 'set').map(({ constant }) => constant);

  it('is tuned and counted, and its listener is in the report', async () => {
    const before = counters.connections;
    const { accepted: socket } = await connected();
    const [record, ...rest] = receive(NAMED, handleOf(socket));
    expect(rest).to.deep.equal([]);
    expect(record).to.include({ address: `127.0.0.1:${portOf(server)} (elsewhere)`, connections: 1 });
    expect(record?.accepted.map(({ option, verdict }) => [option, verdict])).to.deep.equal([
      ['noDelay', 'applied'],
      ['userTimeout', 'applied'],
    ]);
    expect(kernelValue(handleOf(socket), 'TCP_USER_TIMEOUT')).to.equal(54_321);
    expect(counters.connections).to.equal(before + 1);
    expect(tuningOf(socket)?.values).to.equal(VALUES);
  });

  it('has the values of the port that its listener is bound to', async () => {
    context = hookContext(VALUES, platform, { ports: { [portOf(server)]: { userTimeout: 11_111 } } });
    const handle = await accepted();
    receive(NAMED, handle);
    expect(kernelValue(handle, 'TCP_USER_TIMEOUT')).to.equal(11_111);
    expect(kernelValue(handle, 'TCP_NODELAY')).to.equal(0);
  });

  it('is one of a listener’s, which is known by its name and by its address', async () => {
    const [first, second, third] = [await accepted(), await accepted(), await accepted()];
    const [record] = receive(NAMED, first);
    expect(receive(NAMED, second)).to.deep.equal([]);
    // Without a name, as what came before the preload did.
    expect(receive({ type: 'net.Socket' }, third)).to.deep.equal([]);
    expect(record?.connections).to.equal(3);
    expect(kernelValue(third, 'TCP_USER_TIMEOUT')).to.equal(54_321);
  });

  it('is not looked at where the first of its listener has shown that it is tuned', async () => {
    const [first, second] = [await accepted(), await accepted()];
    setKernelValue(first, 'TCP_USER_TIMEOUT', 54_321);
    const [record] = receive(NAMED, first);
    expect(record?.accepted.map(({ option, verdict }) => [option, verdict])).to.deep.equal([
      // What it has not is what the app over there has taken back.
      ['noDelay', 'unneeded'],
      ['userTimeout', 'inherited'],
    ]);
    const calls = platform.calls.length;
    receive(NAMED, second);
    expect(platform.calls.length).to.equal(calls);
    expect(record?.connections).to.equal(2);
    expect(sets()).to.deep.equal([]);
  });

  it('is looked at each time where the listener is not tuned', async () => {
    const [first, second] = [await accepted(), await accepted()];
    receive(NAMED, first, second);
    expect(sets()).to.deep.equal(['TCP_NODELAY', 'TCP_USER_TIMEOUT', 'TCP_NODELAY', 'TCP_USER_TIMEOUT']);
  });

  it('is tuned as a bare handle too, if a listener has accepted it', async () => {
    const handle = await accepted();
    expect(receive({ type: 'net.Native' }, handle)).to.have.length(1);
    expect(kernelValue(handle, 'TCP_USER_TIMEOUT')).to.equal(54_321);
  });

  it('is left alone where no listener has accepted it, or the cluster sends it, or it is no TCP socket', async () => {
    const { client } = await connected();
    const path = await listening(createServer(), scratch.path('socket'));
    const unix = await connected(path);
    path.close();
    const left: readonly (readonly [HandleMessage, SocketHandle])[] = [
      [{ type: 'net.Socket' }, handleOf(asNetSocket(client))],
      [{ ...NAMED, msg: { cmd: 'NODE_CLUSTER' } }, await accepted()],
      [{ type: 'net.Server' }, await accepted()],
      [NAMED, handleOf(unix.accepted)],
    ];
    for (const [message, handle] of left) expect(receive(message, handle), JSON.stringify(message)).to.deep.equal([]);
    expect(sets()).to.deep.equal([]);
    expect(listeners.size).to.equal(0);
  });

  it('makes us remember no more listeners than a few hundred', async () => {
    const handle = await accepted();
    for (let index = 0; index < 400; index++) receive({ ...NAMED, key: `4::${index}` }, handle);
    expect(listeners.size).to.be.within(200, 260);
  });
});
