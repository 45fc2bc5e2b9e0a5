import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { Socket } from 'node:net';
import { expect } from 'chai';
import { FileDescriptor } from '../../../src/hooks/files/file-descriptor.js';
import { FileRegion, liveRegions } from '../../../src/hooks/files/region.js';
import { installSocketWrite, sendsRegions } from '../../../src/hooks/files/socket-write.js';
import type { FileCalls } from '../../../src/native/platform.js';
import type { NetSocket } from '../../../src/node/net.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import { counters } from '../../../src/report/counters.js';
import { content, digest } from '../../support/files/content.js';
import { realFiles } from '../../support/files/fake-files.js';
import { useScratch } from '../../support/files/scratch.js';
import { listening, reach, received, type SocketPair, socketPair } from '../../support/sockets/socket-pair.js';
import { descriptorsOf } from '../../support/test-run/descriptors.js';

/** More than sockets take without their peer. */
const LARGE = 24 << 20;

describe('writes of a socket', () => {
  const scratch = useScratch();
  const bytes = content(200_000);
  let path: string;
  let pair: SocketPair;
  let undo: Undo | undefined;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    path = scratch.file('file', bytes);
  });

  beforeEach(async () => {
    pair = await socketPair();
  });

  afterEach(() => {
    pair.close();
    undo?.();
    undo = undefined;
    expect(liveRegions()).to.equal(0);
    expect(descriptorsOf(path)).to.deep.equal([]);
  });

  function region(socket: NetSocket, count = bytes.length, name = path): FileRegion {
    return new FileRegion(new FileDescriptor(realFiles(), openSync(name, 'r'), true), 0, count).boundFor(socket);
  }

  const current = (): unknown => Reflect.get(Socket.prototype, '_writeGeneric');

  it('send regions while the hook is there, and are known to', async () => {
    expect(sendsRegions(current())).to.equal(false);
    undo = installSocketWrite(realFiles);
    expect(sendsRegions(current())).to.equal(true);
    expect(sendsRegions(() => undefined)).to.equal(false);
    const body = received(pair.client);
    const before = counters.sendfileBytes;
    pair.accepted.write('before');
    pair.accepted.write(region(pair.accepted));
    pair.accepted.end('after');
    expect(digest(await body)).to.equal(digest('before', bytes, 'after'));
    expect(counters.sendfileBytes).to.be.greaterThan(before);
    undo?.();
    expect(sendsRegions(current())).to.equal(false);
  });

  it('count what goes by sendfile as written', async () => {
    undo = installSocketWrite(realFiles);
    const body = received(pair.client);
    pair.accepted.cork();
    pair.accepted.write('12345');
    pair.accepted.write(region(pair.accepted));
    pair.accepted.uncork();
    pair.accepted.end('678');
    await body;
    expect(pair.accepted.bytesWritten).to.equal(bytes.length + 8);
    pair.accepted.destroy();
    expect(pair.accepted.bytesWritten).to.equal(bytes.length + 8);
  });

  it('call back once, in the context in which they were made', async () => {
    undo = installSocketWrite(realFiles);
    const body = received(pair.client);
    const context = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    context.run('ours', () => pair.accepted.write(region(pair.accepted), () => seen.push(context.getStore())));
    context.run('other', () => pair.accepted.end());
    await body;
    await new Promise(setImmediate);
    expect(seen).to.deep.equal(['ours']);
  });

  it('of a region that was made before the connection was there wait for it', async () => {
    undo = installSocketWrite(realFiles);
    const server = await listening();
    const socket = new Socket() as NetSocket;
    const accepting = once(server, 'connection');
    socket.connect(reach(server));
    expect(socket.connecting).to.equal(true);
    socket.write('before');
    socket.end(region(socket));
    const [accepted] = await accepting;
    expect(digest(await received(accepted))).to.equal(digest('before', bytes));
    server.close();
  });

  it('end the regions of a socket that is destroyed', async () => {
    undo = installSocketWrite(realFiles);
    pair.client.pause();
    const large = scratch.file('large', content(LARGE, 5));
    const sending = region(pair.accepted, LARGE, large);
    const waiting = region(pair.accepted);
    pair.accepted.write(sending, () => undefined);
    pair.accepted.write(waiting, () => undefined);
    expect([sending.ended, waiting.ended]).to.deep.equal([false, false]);
    expect(sending.transferred).to.be.greaterThan(0);
    pair.accepted.on('error', () => undefined).destroy();
    expect([sending.ended, waiting.ended]).to.deep.equal([true, true]);
    await once(pair.accepted, 'close');
    expect(descriptorsOf(large)).to.deep.equal([]);
  });

  it('fail where the calls to send a region are not to be had', async () => {
    undo = installSocketWrite(() => undefined);
    const one = region(pair.accepted);
    pair.accepted.on('error', () => undefined);
    const error = await new Promise<Error | null | undefined>((resolve) => pair.accepted.write(one, resolve));
    expect(error).to.be.an('error');
    await new Promise(setImmediate);
    expect(one.ended).to.equal(true);
  });

  it('go on understanding regions after the hook is undone, until the last one has ended', async () => {
    const original = current();
    undo = installSocketWrite(realFiles);
    const ours = current();
    pair.client.pause();
    const name = scratch.file('large', content(LARGE, 5));
    const one = region(pair.accepted, LARGE, name);
    pair.accepted.end(one);
    undo?.();
    undo = undefined;
    expect(sendsRegions(current())).to.equal(false);
    expect(current()).to.equal(ours);
    expect(digest(await received(pair.client))).to.equal(digest(content(LARGE, 5)));
    expect(one.ended).to.equal(true);
    expect(current()).to.equal(original);
  });

  it('can be hooked again while the last region of the hook before is still on its way', async () => {
    const original = current();
    const first = installSocketWrite(realFiles);
    pair.client.pause();
    const name = scratch.file('large', content(LARGE, 5));
    pair.accepted.end(region(pair.accepted, LARGE, name));
    first?.();
    undo = installSocketWrite(realFiles);
    expect(undo, 'the second hook').not.to.equal(undefined);
    expect(sendsRegions(current())).to.equal(true);
    expect(digest(await received(pair.client))).to.equal(digest(content(LARGE, 5)));
    expect(sendsRegions(current())).to.equal(true);
    undo?.();
    undo = undefined;
    expect(current()).to.equal(original);
  });

  it('keep the name and the length of Node’s own', () => {
    const before = ['_writeGeneric', '_destroy'].map((name) => Reflect.get(Socket.prototype, name));
    undo = installSocketWrite(realFiles);
    for (const [index, name] of ['_writeGeneric', '_destroy'].entries()) {
      const now = Reflect.get(Socket.prototype, name);
      expect(now).not.to.equal(before[index]);
      expect([now.name, now.length]).to.deep.equal([before[index].name, before[index].length]);
    }
  });

  it('use the calls that there are when the first region is written', async () => {
    let asked = 0;
    const files = (): FileCalls => {
      asked++;
      return realFiles();
    };
    undo = installSocketWrite(files);
    const body = received(pair.client);
    pair.accepted.write('x');
    expect(asked).to.equal(0);
    pair.accepted.end(region(pair.accepted));
    expect(asked).to.be.greaterThan(0);
    await body;
  });
});
