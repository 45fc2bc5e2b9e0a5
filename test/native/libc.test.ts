import { constants as os } from 'node:os';
import { expect } from 'chai';
import { errnoName } from '../../src/native/errno.js';
import { loadLibc } from '../../src/native/libc.js';

describe('the C library', () => {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  it('is that of the running process', () => {
    expect(loadLibc().bind<() => number>('int getpid()')()).to.equal(process.pid);
  });

  it('has the errno of the last call', () => {
    const { bind, errno } = loadLibc();
    const close = bind<(fd: number) => number>('int close(int fd)');
    const kill = bind<(pid: number, signal: number) => number>('int kill(int pid, int signal)');
    expect(close(-1)).to.equal(-1);
    expect(errno()).to.equal(os.errno.EBADF);
    expect(kill(process.pid, 12_345)).to.equal(-1);
    expect(errno()).to.equal(os.errno.EINVAL);
  });

  it('throws for a function that it lacks', () => {
    expect(() => loadLibc().bind('int no_such_function_here(int x)')).to.throw(/no_such_function_here/);
  });

  it('reads the bytes of a buffer at its address', () => {
    const { address, bind } = loadLibc();
    const strlen = bind<(at: bigint) => number>('size_t strlen(uintptr_t at)');
    const buffer = Buffer.allocUnsafeSlow(16).fill(0);
    expect(strlen(address(buffer))).to.equal(0);
    buffer.write('twelve bytes');
    expect(strlen(address(buffer))).to.equal(12);
  });

  it('has names for its errors', () => {
    expect(errnoName(os.errno.EPERM)).to.equal('EPERM');
    expect(errnoName(os.errno.EAGAIN)).to.equal('EAGAIN');
    expect(errnoName(99_999)).to.equal('errno 99999');
  });
});
