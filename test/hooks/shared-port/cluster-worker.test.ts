import { createServer } from 'node:net';
import { expect } from 'chai';
import { patchBind } from '../../../src/hooks/before-bind.js';
import { patchWorker } from '../../../src/hooks/shared-port/cluster-worker.js';
import { isOwnPort } from '../../../src/hooks/shared-port/own-ports.js';
import { type ClusterMessage, cluster, type GetServer, type ServerQuery } from '../../../src/node/cluster.js';
import { type BoundHandle, closeHandle } from '../../../src/node/net.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import { hookContext } from '../../support/hook-context.js';
import { freePort } from '../../support/sockets/free-port.js';
import { kernelValue, linux } from '../../support/sockets/kernel-value.js';
import { useBoundHandles } from './bound-handles.js';

/** What Node's code in a worker is told as the primary's answer. */
interface Answer {
  readonly message: ClusterMessage & { readonly errno?: unknown };
  readonly handle: BoundHandle;
}

describe('a cluster worker whose primary runs without the preload', () => {
  const module: { _getServer?: unknown } = cluster();
  const parent: { send?: unknown } = process;
  const { send } = parent;
  const handles = useBoundHandles();
  const server = createServer();
  let asked: ClusterMessage[] = [];
  let answers: Answer[] = [];
  let undo: Undo | undefined;
  let unpatch: Undo | undefined;
  let port = 0;
  let seq = 0;
  let isSilent = false;

  const receive = (message: Answer['message'], handle: BoundHandle): void => {
    answers.push({ message, handle });
  };

  /** As Node's own: it sends the primary a query. */
  const getServer: GetServer = (_server, query) => {
    if (!isSilent) process.send?.({ cmd: 'NODE_CLUSTER', act: 'queryServer', seq: seq++, data: 'data', ...query });
  };

  before(function () {
    if (process.platform !== 'linux') this.skip();
    unpatch = patchBind();
  });

  after(() => unpatch?.());

  beforeEach(async () => {
    port = await freePort();
    asked = [];
    answers = [];
    isSilent = false;
    module._getServer = getServer;
    parent.send = (message: ClusterMessage) => asked.push(message);
    (process as NodeJS.EventEmitter).on('internalMessage', receive);
    undo = patchWorker(hookContext({ reusePort: 'on' }, linux(), { ports: { 81: {} } }));
    expect(undo).not.to.equal(undefined);
  });

  afterEach(() => {
    undo?.();
    (process as NodeJS.EventEmitter).off('internalMessage', receive);
    for (const { handle } of answers) closeHandle(handle);
    delete module._getServer;
    if (send === undefined) delete parent.send;
    else parent.send = send;
  });

  async function listen(query: Partial<ServerQuery> = {}, by: object = server): Promise<void> {
    const place = { address: '127.0.0.1', port, addressType: 4, flags: 0, ...query };
    cluster()._getServer?.(by, place, () => undefined);
    expect(answers).to.deep.equal([]);
    await new Promise(setImmediate);
  }

  it("binds its listener itself, and Node's code gets it as the answer of the primary, in a later turn", async () => {
    await listen();
    expect(asked).to.deep.equal([]);
    const [{ message, handle } = { message: {}, handle: undefined }] = answers;
    expect(message).to.include({ cmd: 'NODE_CLUSTER', ack: seq - 1, errno: 0, data: 'data' });
    expect(message.key).to.match(/^socket-tune:worker:\d+$/);
    expect(handle && kernelValue(handle, 'SO_REUSEPORT')).to.equal(1);
    expect(handle && isOwnPort(handle)).to.equal(true);
    const name = {};
    handle?.getsockname?.(name);
    expect(name).to.include({ address: '127.0.0.1', port });
  });

  const LEFT_TO_PRIMARY: Readonly<Record<string, Partial<ServerQuery>>> = {
    'port 0, which is to be the same in all workers': { port: 0 },
    'a Unix socket': { address: '/a/path', port: -1, addressType: -1 },
    'a UDP port': { addressType: 'udp4' },
    'a descriptor': { fd: 3 },
    'a port that is not shared': { port: 81 },
  };

  for (const [what, query] of Object.entries(LEFT_TO_PRIMARY)) {
    it(`asks the primary for ${what}`, async () => {
      await listen(query);
      expect(asked).to.have.lengthOf(1);
      expect(asked[0]).to.include({ act: 'queryServer', ...query });
      expect(answers).to.deep.equal([]);
    });
  }

  it('asks the primary for a TLS server, whose session keys come from there', async () => {
    await listen({}, Object.assign(createServer(), { _getServerData: () => 'keys' }));
    expect(asked).to.have.lengthOf(1);
  });

  it("asks the primary where another process has the port alone, so that the error is Node's", async () => {
    expect(handles.bind('127.0.0.1', port)?.listen(1)).to.equal(0);
    await listen();
    expect(asked).to.have.lengthOf(1);
  });

  it('asks the primary if it listens on the port already, even in the same turn', () => {
    const place = { address: '127.0.0.1', port, addressType: 4, flags: 0 };
    cluster()._getServer?.(server, place, () => undefined);
    expect(asked).to.deep.equal([]);
    cluster()._getServer?.(server, place, () => undefined);
    expect(asked).to.have.lengthOf(1);
  });

  it("closes its listener if Node's code sends no query that it knows", async () => {
    isSilent = true;
    await listen();
    expect(answers).to.deep.equal([]);
    expect(handles.bind('127.0.0.1', port)).not.to.equal(undefined);
  });

  it('asks the primary for everything once the hook is undone', async () => {
    undo?.();
    await listen();
    expect(asked).to.have.lengthOf(1);
  });

  it('has no hook where Node has no _getServer', () => {
    undo?.();
    delete module._getServer;
    expect(patchWorker(hookContext({ reusePort: 'on' }, linux()))).to.equal(undefined);
  });
});
