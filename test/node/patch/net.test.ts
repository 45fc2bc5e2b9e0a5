import { once } from 'node:events';
import net, { createServer, type Server, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { asNetServer, type ListenHandle, listeningPrototypes, type SocketHandle } from '../../../src/node/net.js';
import {
  addBytesSplicedIn,
  addBytesSplicedOut,
  addBytesWritten,
  aroundConnection,
  fileBytes,
  noteWriteProgress,
  watchHandle,
  watchServers,
} from '../../../src/node/patch/net.js';
import { useScratch } from '../../support/files/scratch.js';
import { isBound, listens } from '../../support/hook-context.js';
import { handleOf, listenHandleOf, listening, type SocketPair, socketPair } from '../../support/sockets/socket-pair.js';

/** lib/net.js `_listen2`, which `listen()` comes to, mostly in a later turn. */
function listenOn(server: Server, where: number | string): void {
  if (typeof where === 'number') asNetServer(server)._listen2('127.0.0.1', where, 4, 511);
  else asNetServer(server)._listen2(where, -1, -1, 511);
}

describe('watching a server’s handle', () => {
  const scratch = useScratch();

  /** Watch while a server listens, and return what was true of its handle when it was told of. */
  async function watch(server: Server, where: number | string): Promise<unknown[]> {
    const seen: unknown[] = [];
    const tell = (handle: ListenHandle): void => {
      const isKnown = handle === asNetServer(server)._handle;
      seen.push({ isKnown, isBound: typeof where === 'string' || isBound(handle), listens: listens(handle) });
    };
    watchHandle(asNetServer(server), tell, () => listenOn(server, where));
    await once(server, 'listening');
    return seen;
  }

  for (const hasBinding of [true, false]) {
    describe(hasBinding ? 'by its class' : 'where its class is not to be had', () => {
      const { binding } = process as unknown as { binding: unknown };

      beforeEach(() => {
        if (!hasBinding) Reflect.set(process, 'binding', () => undefined);
      });

      afterEach(() => {
        Reflect.set(process, 'binding', binding);
      });

      it('tells of it once, when it is bound and does not listen yet, be it TCP or Unix', async () => {
        for (const where of [0, scratch.path('socket')]) {
          const server = createServer();
          expect(await watch(server, where)).to.deep.equal([{ isKnown: true, isBound: true, listens: false }]);
          server.close();
        }
      });

      it('leaves the property and the class as they were, also when an error is thrown', () => {
        const server = createServer();
        const methods = listeningPrototypes()?.map(({ listen }) => listen);
        const before = Object.getOwnPropertyDescriptor(server, '_handle');
        const failing = (): never => {
          throw new Error('on purpose');
        };
        expect(() => watchHandle(asNetServer(server), () => undefined, failing)).to.throw('on purpose');
        expect(Object.getOwnPropertyDescriptor(server, '_handle')).to.deep.equal(before);
        expect(listeningPrototypes()?.map(({ listen }) => listen)).to.deep.equal(methods);
      });

      it('tells of none that could not be bound', async () => {
        const server = createServer();
        const seen: unknown[] = [];
        const failed = once(server, 'error');
        watchHandle(
          asNetServer(server),
          (handle) => seen.push(handle),
          // An address for documents (RFC 5737).
          () => asNetServer(server)._listen2('203.0.113.1', 0, 4, 511),
        );
        await failed;
        expect(seen).to.deep.equal([]);
      });
    });
  }

  it('tells of it where an app has made its class unchangeable', async () => {
    const [prototype] = listeningPrototypes() ?? [];
    if (prototype === undefined) throw new Error('no class of handles');
    const own = Object.getOwnPropertyDescriptor(prototype, 'listen');
    const listen: unknown = own?.value;
    Object.defineProperty(prototype, 'listen', { get: () => listen, configurable: true });
    const server = createServer();
    try {
      expect(await watch(server, 0)).to.deep.equal([{ isKnown: true, isBound: true, listens: false }]);
    } finally {
      if (own !== undefined) Object.defineProperty(prototype, 'listen', own);
      server.close();
    }
  });

  it('tells of no other server’s handle', () => {
    const [server, other] = [createServer(), createServer()];
    const seen: unknown[] = [];
    watchHandle(
      asNetServer(server),
      (handle) => seen.push(handle),
      () => listenOn(other, 0),
    );
    expect(other.address()).to.include({ address: '127.0.0.1' });
    expect(seen).to.deep.equal([]);
    other.close();
  });

  it('lets what is done be done where the property cannot be watched', () => {
    const server = createServer();
    Object.defineProperty(server, '_handle', { value: null, writable: true, configurable: false });
    expect(
      watchHandle(
        asNetServer(server),
        () => undefined,
        () => 'result',
      ),
    ).to.equal('result');
  });
});

describe('calls around each connection', () => {
  const nothing = (): void => undefined;

  it('come ahead of Node’s own and after it, which gets this and its arguments, and whose result is passed on', () => {
    const log: unknown[] = [];
    const client: SocketHandle = {};
    const handle: ListenHandle = {
      onconnection(error, accepted) {
        log.push(['node', this === handle, error, accepted === client]);
        return 'result';
      },
    };
    aroundConnection(
      handle,
      (accepted) => log.push(['before', accepted === client]),
      (accepted) => log.push(['after', accepted === client]),
    );
    expect(handle.onconnection?.(0, client)).to.equal('result');
    expect(log).to.deep.equal([
      ['before', true],
      ['node', true, 0, true],
      ['after', true],
    ]);
  });

  it('do not come where accepting failed', () => {
    const log: string[] = [];
    const handle: ListenHandle = { onconnection: () => log.push('node') };
    aroundConnection(
      handle,
      () => log.push('before'),
      () => log.push('after'),
    );
    handle.onconnection?.(-24, undefined);
    expect(log).to.deep.equal(['node']);
  });

  it('look like Node’s own', async () => {
    const server = await listening();
    const handle = listenHandleOf(server);
    const { name, length } = handle.onconnection!;
    aroundConnection(handle, nothing, nothing);
    expect(handle.onconnection).to.include({ name, length });
    server.close();
  });

  it('are left out where nobody waits for connections', () => {
    const handle: ListenHandle = {};
    aroundConnection(handle, nothing, nothing);
    expect(handle.onconnection).to.equal(undefined);
  });
});

describe('progress that libuv does not know of', () => {
  let pair: SocketPair;

  beforeEach(async () => {
    pair = await socketPair();
  });

  afterEach(() => pair.close());

  /** Whether the socket's timeout, were it due now, would take the write that is queued for one that goes on. */
  function fires(socket: Socket): boolean {
    let fired = false;
    const onTimeout = (): void => {
      fired = true;
    };
    socket.on('timeout', onTimeout);
    Reflect.apply(Reflect.get(socket, '_onTimeout'), socket, []);
    socket.off('timeout', onTimeout);
    return fired;
  }

  it('keeps the timeout of a socket from firing once, and not for ever', () => {
    pair.client.pause();
    pair.accepted.write(Buffer.alloc(24 << 20));
    expect(pair.accepted._handle?.writeQueueSize).to.be.greaterThan(0);
    // The write was taken in part.
    fires(pair.accepted);
    expect(fires(pair.accepted)).to.equal(true);
    noteWriteProgress(pair.accepted);
    expect(fires(pair.accepted)).to.equal(false);
    expect(fires(pair.accepted)).to.equal(true);
  });

  it('changes nothing where nothing is queued', () => {
    const before = Object.getOwnPropertyDescriptors(pair.accepted);
    noteWriteProgress(pair.accepted);
    expect(Object.getOwnPropertyDescriptors(pair.accepted)).to.deep.equal(before);
  });
});

describe('bytes that went past a handle', () => {
  it('are added to what it has written itself, and to no other handle', async () => {
    const pair = await socketPair();
    const handle = handleOf(pair.accepted);
    await new Promise((resolve) => pair.accepted.write('12345', resolve));
    expect(handle.bytesWritten).to.equal(5);
    addBytesWritten(handle, 100);
    expect(handle.bytesWritten).to.equal(105);
    addBytesWritten(handle, 20);
    expect(pair.accepted.bytesWritten).to.equal(125);
    await new Promise((resolve) => pair.accepted.write('678', resolve));
    expect(handle.bytesWritten).to.equal(128);
    expect(handleOf(pair.client).bytesWritten).to.equal(0);
    pair.close();
  });

  it('are counted apart for what was spliced out of it, and into it', async () => {
    const pair = await socketPair();
    const handle = handleOf(pair.accepted);
    await new Promise((resolve) => pair.accepted.write('12345', resolve));
    pair.client.write('123');
    await once(pair.accepted, 'data');
    addBytesSplicedIn(handle, 10);
    addBytesWritten(handle, 100);
    addBytesSplicedOut(handle, 1000);
    addBytesSplicedOut(handle, 2000);
    expect([handle.bytesWritten, handle.bytesRead]).to.deep.equal([115, 3003]);
    expect([pair.accepted.bytesWritten, pair.accepted.bytesRead]).to.deep.equal([115, 3003]);
    expect(fileBytes.get(handle)?.bytes).to.equal(100);
    pair.close();
    expect([pair.accepted.bytesWritten, pair.accepted.bytesRead]).to.deep.equal([115, 3003]);
  });

  it('do not show when the handle’s properties are listed', async () => {
    const pair = await socketPair();
    const handle = handleOf(pair.accepted);
    const before = Object.keys(handle);
    addBytesWritten(handle, 100);
    expect(Object.keys(handle)).to.deep.equal(before);
    pair.close();
  });
});

describe('watching servers', () => {
  const OPTIONS = { noDelay: true };
  class Subclass extends net.Server {}
  const ways: Readonly<Record<string, () => Server>> = {
    'net.createServer': () => net.createServer(OPTIONS),
    'new net.Server': () => new net.Server(OPTIONS),
    'net.Server as a function': () => Reflect.apply(net.Server, undefined, [OPTIONS]),
  };

  for (const [way, make] of Object.entries(ways)) {
    it(`tells of one that is made by ${way}, with its options`, () => {
      const made: unknown[] = [];
      const undo = watchServers((...args) => made.push(args));
      const server = make();
      undo();
      expect(made).to.deep.equal([[server, OPTIONS]]);
      expect(server).to.be.an.instanceof(net.Server);
      make();
      expect(made).to.have.length(1);
    });
  }

  it('tells of those of classes that are made of it', () => {
    const made: unknown[] = [];
    const undo = watchServers((...args) => made.push(args));
    class Late extends net.Server {}
    const server = new Late(OPTIONS);
    undo();
    expect(made).to.deep.equal([[server, OPTIONS]]);
    expect(server).to.be.an.instanceof(Late);
    expect(Object.getPrototypeOf(server)).to.equal(Late.prototype);
  });

  it('looks like Node’s own, and is undone to the very same', () => {
    const { Server: own } = net;
    const descriptor = Object.getOwnPropertyDescriptor(net, 'Server');
    const ofConstructor = Object.getOwnPropertyDescriptor(own.prototype, 'constructor');
    const undo = watchServers(() => undefined);
    expect(net.Server).not.to.equal(own);
    expect([net.Server.name, net.Server.length, net.createServer.name, net.createServer.length]).to.deep.equal([
      own.name,
      own.length,
      'createServer',
      2,
    ]);
    expect(inspect(net.Server, { showProxy: true })).to.equal(inspect(own));
    expect(Object.getOwnPropertyNames(net.Server)).to.deep.equal(Object.getOwnPropertyNames(own));
    expect(net.createServer().constructor).to.equal(net.Server);
    expect(new Subclass()).to.be.an.instanceof(net.Server);
    expect(() => net.createServer('nothing' as never)).to.throw(TypeError, /options/);
    undo();
    expect(Object.getOwnPropertyDescriptor(net, 'Server')).to.deep.equal(descriptor);
    expect(Object.getOwnPropertyDescriptor(own.prototype, 'constructor')).to.deep.equal(ofConstructor);
    expect(net.createServer().constructor).to.equal(own);
  });
});
