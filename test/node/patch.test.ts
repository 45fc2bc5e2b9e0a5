import { ReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import net, { createServer, type Server, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { expect } from 'chai';
import type { CommonModule } from '../../src/node/modules.js';
import { asNetServer, type ListenHandle, type NetServer, type SocketHandle } from '../../src/node/net.js';
import { afterBuiltin, watchExports } from '../../src/node/patch/modules.js';
import {
  addBytesWritten,
  aroundConnection,
  noteWriteProgress,
  watchHandle,
  watchServers,
} from '../../src/node/patch/net.js';
import { type Replacements, replaceAllOwn, replaceOwn } from '../../src/node/patch/own-methods.js';
import { type Mutable, replaceMethod, type Undo } from '../../src/node/patch/replace.js';
import { postponeRead } from '../../src/node/patch/streams.js';
import type { FileReadStream } from '../../src/node/streams.js';
import { useScratch } from '../support/files/scratch.js';
import { handleOf, listenHandleOf, listening, type SocketPair, socketPair } from '../support/sockets/socket-pair.js';

describe('replacing a method', () => {
  interface Subject {
    greet(name: string, politely?: boolean): string;
  }

  function subject(): Subject {
    return {
      greet(name: string, politely = false) {
        return `${politely ? 'good day' : 'hi'}, ${name}`;
      },
    };
  }

  const louder =
    (original: Subject['greet']): Subject['greet'] =>
    (...args) =>
      `${original(...args)}!`;

  it('puts the replacement in its place, with the name, length and attributes of the original', () => {
    const object = subject();
    Object.defineProperty(object, 'greet', { enumerable: false, writable: true, configurable: true });
    const before = Object.getOwnPropertyDescriptor(object, 'greet');
    expect(object.greet('you')).to.equal('hi, you');
    replaceMethod(object, 'greet', louder);
    expect(object.greet('you', true)).to.equal('good day, you!');
    expect(object.greet.name).to.equal('greet');
    expect(object.greet.length).to.equal(1);
    const after = Object.getOwnPropertyDescriptor(object, 'greet');
    expect(after).to.deep.equal({ ...before, value: after?.value });
    expect(after?.value).not.to.equal(before?.value);
  });

  it('can be undone to the very same descriptor', () => {
    for (const attributes of [
      { enumerable: true, writable: true, configurable: true },
      { enumerable: false, writable: true, configurable: true },
      { enumerable: false, writable: false, configurable: true },
    ]) {
      const object = subject();
      Object.defineProperty(object, 'greet', attributes);
      const before = Object.getOwnPropertyDescriptor(object, 'greet');
      const undo = replaceMethod(object, 'greet', louder);
      expect(Object.getOwnPropertyDescriptor(object, 'greet')).not.to.deep.equal(before);
      undo();
      expect(Object.getOwnPropertyDescriptor(object, 'greet')).to.deep.equal(before);
    }
  });

  it('is undone by deleting it where the method was inherited', () => {
    const object: Subject = Object.create(subject());
    const undo = replaceMethod(object, 'greet', louder);
    expect(Object.hasOwn(object, 'greet')).to.equal(true);
    expect(object.greet('you')).to.equal('hi, you!');
    undo();
    expect(Object.hasOwn(object, 'greet')).to.equal(false);
    expect(object.greet('you')).to.equal('hi, you');
  });

  it('is left in place where somebody else has replaced the method since, and does nothing any more', () => {
    const object = subject();
    const undo = replaceMethod(object, 'greet', louder);
    const ours = object.greet;
    const theirs: Subject['greet'] = (...args) => `well, ${ours(...args)}`;
    object.greet = theirs;
    expect(object.greet('you')).to.equal('well, hi, you!');
    undo();
    expect(object.greet).to.equal(theirs);
    expect(object.greet('you', true)).to.equal('well, good day, you');
  });

  it('passes on this, every argument and how many there are, and what comes back', () => {
    const object = {
      count(...rest: unknown[]): unknown {
        return [this, rest.length, ...rest];
      },
    };
    replaceMethod(
      object,
      'count',
      (original: typeof object.count) =>
        function (this: typeof object, ...rest) {
          return original.apply(this, rest);
        },
    );
    expect(object.count()).to.deep.equal([object, 0]);
    expect(object.count(1, undefined)).to.deep.equal([object, 2, 1, undefined]);
    expect(object.count.call({ ...object, other: true }, 1)).to.deep.include({ ...object, other: true });
  });

  it('undoes nested replacements from the outside in', () => {
    const object = subject();
    const original = object.greet;
    const undoInner = replaceMethod(object, 'greet', louder);
    const undoOuter = replaceMethod(object, 'greet', louder);
    expect(object.greet('you')).to.equal('hi, you!!');
    undoOuter();
    undoInner();
    expect(object.greet).to.equal(original);
  });

  it('refuses what is no method', () => {
    expect(() => replaceMethod({ greet: 1 }, 'greet', louder)).to.throw(TypeError, 'greet is not a method');
    expect(() => replaceMethod({}, 'greet', louder)).to.throw(TypeError);
  });
});

describe('replacing a method of Node’s own', () => {
  const { prototype } = ReadStream as unknown as { prototype: FileReadStream };

  /** What else is done to a prototype while `act` runs. */
  function withMethod(name: '_read' | '_destroy', method: () => void, act: () => void): void {
    const own = Object.getOwnPropertyDescriptor(prototype, name) ?? {};
    Object.defineProperty(prototype, name, { ...own, value: method });
    try {
      act();
    } finally {
      Object.defineProperty(prototype, name, own);
    }
  }

  it('is done where it is Node’s own, and can be undone', () => {
    const { _read: before } = prototype;
    const undo = replaceOwn('ReadStream._read', (original) => original);
    expect(prototype._read).not.to.equal(before);
    undo?.();
    expect(prototype._read).to.equal(before);
    expect(undo).to.be.a('function');
  });

  it('is not done where somebody else has replaced it', () => {
    const theirs = (): void => undefined;
    withMethod('_read', theirs, () => {
      expect(replaceOwn('ReadStream._read', (original) => original)).to.equal(undefined);
      expect(prototype._read).to.equal(theirs);
    });
  });

  it('is done to all that are named, or to none', () => {
    const { _read: read, _destroy: destroy } = prototype;
    const replacements: Replacements = {
      'ReadStream._read': (original) => original,
      'ReadStream._destroy': (original) => original,
    };
    const undo = replaceAllOwn(replacements);
    expect(prototype._read).not.to.equal(read);
    expect(prototype._destroy).not.to.equal(destroy);
    undo?.();
    expect([prototype._read, prototype._destroy]).to.deep.equal([read, destroy]);
    withMethod(
      '_destroy',
      () => undefined,
      () => {
        expect(replaceAllOwn(replacements)).to.equal(undefined);
        expect(prototype._read).to.equal(read);
      },
    );
  });
});

describe('watching a server’s handle', () => {
  function assigning(server: Server, handle: unknown): () => string {
    return () => {
      const assigned: Mutable<NetServer> = asNetServer(server);
      assigned._handle = handle as ListenHandle;
      return 'result';
    };
  }

  it('tells of the handle in the moment in which it is assigned, and answers with the result', () => {
    const server = createServer();
    const handle = {};
    const seen: unknown[] = [];
    expect(watchHandle(asNetServer(server), (one) => seen.push(one), assigning(server, handle))).to.equal('result');
    expect(seen).to.deep.equal([handle]);
    expect(asNetServer(server)._handle).to.equal(handle);
  });

  it('leaves the property as it was, with its new value', () => {
    const server = createServer();
    const before = Object.getOwnPropertyDescriptor(server, '_handle');
    const handle = {};
    watchHandle(asNetServer(server), () => undefined, assigning(server, handle));
    expect(Object.getOwnPropertyDescriptor(server, '_handle')).to.deep.equal({ ...before, value: handle });
  });

  it('leaves the property as it was when an error is thrown', () => {
    const server = createServer();
    const before = Object.getOwnPropertyDescriptor(server, '_handle');
    const failing = (): never => {
      throw new Error('on purpose');
    };
    expect(() => watchHandle(asNetServer(server), () => undefined, failing)).to.throw('on purpose');
    expect(Object.getOwnPropertyDescriptor(server, '_handle')).to.deep.equal(before);
  });

  it('does not tell of a handle that is taken away', () => {
    const server = createServer();
    const seen: unknown[] = [];
    watchHandle(asNetServer(server), (one) => seen.push(one), assigning(server, null));
    expect(seen).to.deep.equal([]);
  });

  it('lets what is done be done where the property cannot be watched', () => {
    const server = createServer();
    Object.defineProperty(server, '_handle', { value: null, writable: true, configurable: false });
    const seen: unknown[] = [];
    expect(watchHandle(asNetServer(server), (one) => seen.push(one), assigning(server, {}))).to.equal('result');
    expect(seen).to.deep.equal([]);
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

describe('a read that is put off', () => {
  it('leaves the stream as if nobody had asked it to read', () => {
    const stream = { _readableState: { reading: true } } as FileReadStream;
    postponeRead(stream);
    expect(stream._readableState.reading).to.equal(false);
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

  it('do not show when the handle’s properties are listed', async () => {
    const pair = await socketPair();
    const handle = handleOf(pair.accepted);
    const before = Object.keys(handle);
    addBytesWritten(handle, 100);
    expect(Object.keys(handle)).to.deep.equal(before);
    pair.close();
  });
});

describe('watching what modules export', () => {
  const scratch = useScratch();
  const require = createRequire(import.meta.url);
  let undo: Undo | undefined;

  function watch(name: string): unknown[] {
    const seen: unknown[] = [];
    undo = watchExports(
      (file) => file.endsWith(name),
      (exports) => {
        seen.push(exports);
        return { replaced: exports };
      },
    );
    return seen;
  }

  afterEach(() => undo?.());

  it('replaces it for whoever requires or imports the module, and for nobody else', async () => {
    const seen = watch('watched.cjs');
    scratch.file('other.cjs', 'module.exports = 2;');
    const watched = scratch.file('watched.cjs', 'module.exports = 1;');
    const app = scratch.file(
      'app.mjs',
      "import one from './watched.cjs'; import two from './other.cjs'; export { one, two };",
    );
    const { one, two } = await import(app);
    expect({ one, two }).to.deep.equal({ one: { replaced: 1 }, two: 2 });
    expect(require(watched)).to.equal(one);
    expect(seen).to.deep.equal([1]);
    const module = require.cache[watched];
    expect(Object.keys(module ?? {}))
      .to.include('paths')
      .and.not.include('_compile');
    undo?.();
    expect(require(watched)).to.equal(1);
    expect(module?.constructor.prototype).to.not.have.property('paths');
  });

  it('does not show in the stack of an error while modules are loaded', () => {
    const throwing = scratch.file('throwing.cjs', 'throw new Error("not today");');
    const stackOf = (): string => {
      try {
        return String(require(throwing));
      } catch (error) {
        return error instanceof Error ? String(error.stack) : '';
      }
    };
    const [before, watched] = [() => [], () => watch('watched.cjs')].map((prepare) => {
      prepare();
      return stackOf();
    });
    expect(before).to.include('not today').and.include('.load ');
    expect(watched).to.equal(before);
  });

  it('sees what a transpiler has made of a module', () => {
    const seen = watch('transpiled.cjs');
    const file = scratch.file('transpiled.cjs', 'module.exports = SEVEN;');
    const load = require.extensions['.js'];
    require.extensions['.cjs'] = (module, path) => {
      const { _compile: compile } = module as CommonModule;
      (module as CommonModule)._compile = function (code, ...rest) {
        return compile.call(this, String(code).replace('SEVEN', '7'), ...rest);
      };
      load(module, path);
    };
    try {
      expect(require(file)).to.deep.equal({ replaced: 7 });
      expect(seen).to.deep.equal([7]);
    } finally {
      Reflect.deleteProperty(require.extensions, '.cjs');
    }
  });
});

describe('watching what Node loads of itself', () => {
  const list = Reflect.get(process, 'moduleLoadList') as string[];

  it('tells of a module once it is loaded, before its name is seen by anybody else', () => {
    let isLoaded: boolean | undefined;
    afterBuiltin('NativeModule of this test', () => {
      isLoaded = list.includes('NativeModule of this test');
    });
    list.push('NativeModule of another');
    expect(isLoaded).to.equal(undefined);
    list.push('NativeModule of this test');
    expect(isLoaded).to.equal(true);
    expect(list.splice(-2)).to.deep.equal(['NativeModule of another', 'NativeModule of this test']);
    expect(Object.getPrototypeOf(list)).to.equal(Array.prototype);
  });

  it('does not show in the list meanwhile, and can be called off', () => {
    const before = inspect(list);
    const undo = afterBuiltin('NativeModule never', () => expect.fail('it was called off'));
    expect(inspect(list)).to.equal(before);
    expect(list).to.be.an.instanceof(Array);
    expect(list.concat('more').at(-1)).to.equal('more');
    undo();
    expect(Object.getPrototypeOf(list)).to.equal(Array.prototype);
    list.push('NativeModule never');
    list.pop();
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
