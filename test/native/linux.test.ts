import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, constants as fs, openSync } from 'node:fs';
import { constants as os } from 'node:os';
import { expect } from 'chai';
import { loadLibc } from '../../src/native/libc.js';
import { linuxPlatform } from '../../src/native/linux.js';
import { useScratch } from '../support/files/scratch.js';
import { linux, sysctl } from '../support/sockets/kernel-value.js';
import { handleOf, listenHandleOf, listening, type SocketPair, socketPair } from '../support/sockets/socket-pair.js';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const NODELAY = { level: 6, name: 1 };

describe('the Linux platform', () => {
  const scratch = useScratch();
  let pair: SocketPair;

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  beforeEach(async () => {
    pair = await socketPair();
  });

  afterEach(() => pair.close());

  it('sets options and reads them back', () => {
    const value = new Int32Array(1);
    expect(linux().get(handleOf(pair.accepted), NODELAY, value)).to.equal(0);
    expect(value[0]).to.equal(0);
    expect(linux().set(handleOf(pair.accepted), NODELAY, Int32Array.of(1))).to.equal(0);
    expect(linux().get(handleOf(pair.accepted), NODELAY, value)).to.equal(0);
    expect(value[0]).to.equal(1);
    expect(linux().get(handleOf(pair.client), NODELAY, value)).to.equal(0);
    expect(value[0]).to.equal(0);
  });

  it('returns the errno of a failed call', () => {
    const value = Int32Array.of(1);
    const handle = handleOf(pair.accepted);
    expect(linux().set(handle, { level: 6, name: 9999 }, value)).to.equal(os.errno.ENOPROTOOPT);
    expect(linux().get(handle, { level: 6, name: 9999 }, value)).to.equal(os.errno.ENOPROTOOPT);
    expect(linux().set(handle, { level: 6, name: 6 }, Int32Array.of(1000))).to.equal(os.errno.EINVAL);
    pair.accepted.destroy();
    expect(linux().set(handle, NODELAY, value)).to.equal(os.errno.EBADF);
    expect(linux().get(handle, NODELAY, value)).to.equal(os.errno.EBADF);
  });

  it('is available under its name', () => {
    expect(linux()).to.include({ name: 'linux', unavailable: undefined });
  });

  it('has the numbers of the system’s headers', function () {
    const names = Object.keys(linux().constants);
    expect(names).to.have.length.greaterThan(10);
    // The preprocessor leaves names in quotes as they are.
    const input = `#include <sys/socket.h>\n#include <linux/tcp.h>\n#include <linux/in.h>\n#include <linux/in6.h>\n${names.map((name) => `"${name}" ${name}\n`).join('')}`;
    const { status, stdout } = spawnSync('cpp', ['-P'], { input, encoding: 'utf8' });
    // No preprocessor, or no headers, on this machine.
    if (status !== 0) this.skip();
    const wrong = names.filter((name) => !stdout.includes(`"${name}" ${linux().constants[name]?.name}\n`));
    // The headers of the C library may be older than the kernel: unknown names stay as they are.
    const unknown = wrong.filter((name) => stdout.includes(`"${name}" ${name}\n`));
    expect(wrong).to.deep.equal(unknown);
    // IPPROTO_MPTCP is an enumerator, which the preprocessor does not see.
    const expected = ['TCP_DELACK_MAX_US', 'TCP_RTO_MAX_MS', 'TCP_RTO_MIN_US', 'listen(2)', 'IPPROTO_MPTCP'];
    expect(expected).to.include.members(unknown);
  });

  it('knows the kernel’s ceiling of buffers', () => {
    expect(linux().autotuningCeiling('receive')).to.equal(sysctl('ipv4/tcp_rmem')[2]);
    expect(linux().autotuningCeiling('send')).to.equal(sysctl('ipv4/tcp_wmem')[2]);
  });

  it('reports FASTOPEN alone as inert, and only where the sysctl excludes servers', () => {
    const [mode = 0] = sysctl('ipv4/tcp_fastopen');
    const expected = (mode & 2) === 0 ? `net.ipv4.tcp_fastopen=${mode} lacks bit 2` : undefined;
    expect(linux().inertCause('TCP_FASTOPEN')).to.equal(expected);
    expect(linux().inertCause('TCP_NODELAY')).to.equal(undefined);
  });

  it('tells stream sockets from all other descriptors', async () => {
    const { files } = linux();
    const isStreamSocket = (fd: number | undefined): boolean | undefined => files?.isStreamSocket(fd ?? -1);
    const unix = await socketPair(scratch.path('socket'));
    const server = await listening();
    expect(isStreamSocket(handleOf(pair.accepted).fd)).to.equal(true);
    expect(isStreamSocket(handleOf(unix.accepted).fd)).to.equal(true);
    expect(isStreamSocket(listenHandleOf(server).fd)).to.equal(true);
    server.close();
    unix.close();

    execFileSync('mkfifo', [scratch.path('fifo')]);
    const fifo = openSync(scratch.path('fifo'), fs.O_RDWR | fs.O_NONBLOCK);
    expect(isStreamSocket(fifo)).to.equal(false);
    closeSync(fifo);
    const file = openSync(scratch.file('plain', 'x'), 'r');
    expect(isStreamSocket(file)).to.equal(false);
    closeSync(file);
    expect(isStreamSocket(-1)).to.equal(false);

    const socket = loadLibc().bind<(domain: number, type: number, protocol: number) => number>(
      'int socket(int domain, int type, int protocol)',
    );
    const datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    expect(datagrams).to.be.greaterThan(2);
    expect(isStreamSocket(datagrams)).to.equal(false);
    closeSync(datagrams);
  });

  it('keeps its options, without files, where the C library lacks a call or the machine is not 64-bit', () => {
    const libc = loadLibc();
    expect(linuxPlatform(libc).files).to.be.an('object');
    for (const lacking of ['statx', 'preadv2', 'sendfile']) {
      const older = {
        ...libc,
        bind: <F extends (...args: never[]) => number>(prototype: string): F => {
          if (prototype.includes(` ${lacking}(`)) throw new Error(`undefined symbol: ${lacking}`);
          return libc.bind<F>(prototype);
        },
      };
      const platform = linuxPlatform(older);
      expect(platform.files, lacking).to.equal(undefined);
      expect(platform.set(handleOf(pair.accepted), NODELAY, Int32Array.of(1)), lacking).to.equal(0);
    }
    const arch = Object.getOwnPropertyDescriptor(process, 'arch')!;
    Object.defineProperty(process, 'arch', { ...arch, value: 'ia32' });
    try {
      expect(linuxPlatform(libc).files).to.equal(undefined);
    } finally {
      Object.defineProperty(process, 'arch', arch);
    }
  });
});
