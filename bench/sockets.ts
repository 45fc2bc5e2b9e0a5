import { constants } from 'node:os';
import koffi from 'koffi';

/** Linux: include/linux/socket.h, include/uapi/asm-generic/socket.h, include/uapi/linux/in.h */
const AF_INET = 2;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SO_LINGER = 13;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

const LOOPBACK = [127, 0, 0, 1] as const;

/** Result without new bytes. */
export const NOTHING = -1;

const libc = koffi.load(null);
const openSocket = libc.func('int socket(int domain, int type, int protocol)');
const connectSocket = libc.func('int connect(int fd, const void *address, unsigned int size)');
const sendTo = libc.func('long send(int fd, const void *data, size_t size, int flags)');
const receive = libc.func('long recv(int fd, void *data, size_t size, int flags)');
const setOption = libc.func('int setsockopt(int fd, int level, int name, const void *value, unsigned int size)');
const closeSocket = libc.func('int close(int fd)');

function check(result: number, call: string): number {
  if (result < 0) throw new Error(`${call}: errno ${koffi.errno()}`);
  return result;
}

/** Connect to a port of this machine, blocking. */
export function connect(port: number, options: { readonly noDelay: boolean }): number {
  const fd = check(openSocket(AF_INET, SOCK_STREAM, 0), 'socket');
  check(setOption(fd, IPPROTO_TCP, TCP_NODELAY, Int32Array.of(options.noDelay ? 1 : 0), 4), 'setsockopt');
  const address = Buffer.alloc(16);
  address.writeUInt16LE(AF_INET, 0);
  address.writeUInt16BE(port, 2);
  address.set(LOOPBACK, 4);
  check(connectSocket(fd, address, address.length), 'connect');
  return fd;
}

const ON = Int32Array.of(1);

/** The plainest call of setsockopt from JavaScript. */
export function setNoDelay(fd: number): void {
  check(setOption(fd, IPPROTO_TCP, TCP_NODELAY, ON, 4), 'setsockopt');
}

export function send(fd: number, data: Buffer): void {
  const sent = check(sendTo(fd, data, data.length, MSG_NOSIGNAL), 'send');
  if (sent !== data.length) throw new Error(`send: ${sent} of ${data.length} bytes`);
}

function received(result: number): number {
  if (result > 0) return result;
  if (result === 0) throw new Error('the connection has ended in the middle of a response');
  return koffi.errno() === constants.errno.EAGAIN ? NOTHING : check(result, 'recv');
}

/** Read the available bytes. Returns their number, or {@link NOTHING}. */
export function take(fd: number, into: Buffer): number {
  return received(receive(fd, into, into.length, MSG_DONTWAIT));
}

/** Discard the available bytes in the kernel (MSG_TRUNC), without a copy: the client must not be the limit. */
export function discard(fd: number, atMost: number): number {
  return received(receive(fd, null, atMost, MSG_DONTWAIT | MSG_TRUNC));
}

/** Close the connection. `abort` skips TIME_WAIT, which would use up the ports. */
export function close(fd: number, options: { readonly abort: boolean }): void {
  if (options.abort) setOption(fd, SOL_SOCKET, SO_LINGER, Int32Array.of(1, 0), 8);
  check(closeSocket(fd), 'close');
}
