import { isLittleEndian } from '../endianness.js';
import type { Libc } from '../libc.js';
import type { PortCalls } from '../platform.js';
import { SOCK_CLOEXEC } from '../sockets/open-socket.js';
import type { PortSocket, PortState } from './port-socket.js';

/** include/net/tcp_states.h */
const STATE_NUMBERS = { ESTAB: 1, 'SYN-RECV': 3, LISTEN: 10 } as const satisfies Record<PortState, number>;

/** include/uapi/linux/netlink.h, sock_diag.h, inet_diag.h; sock_diag(7). */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const REQUEST_AND_DUMP = 0x301;
const HEADER = 16;
const REQUEST = HEADER + 56;
const MESSAGE = HEADER + 72;
const IPPROTO_TCP = 6;
const FAMILIES = [
  [2, 4],
  [10, 6],
] as const;
const ANSWER_BYTES = 64 << 10;

function dumpRequest(family: number, states: number, port: number): Buffer {
  const bytes = Buffer.alloc(REQUEST);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(0, REQUEST, isLittleEndian);
  view.setUint16(4, SOCK_DIAG_BY_FAMILY, isLittleEndian);
  view.setUint16(6, REQUEST_AND_DUMP, isLittleEndian);
  view.setUint8(HEADER, family);
  view.setUint8(HEADER + 1, IPPROTO_TCP);
  view.setUint32(HEADER + 4, states, isLittleEndian);
  // Network byte order.
  view.setUint16(HEADER + 8, port);
  return bytes;
}

function stateOfNumber(number: number): PortState | undefined {
  if (number === STATE_NUMBERS.LISTEN) return 'LISTEN';
  if (number === STATE_NUMBERS['SYN-RECV']) return 'SYN-RECV';
  return number === STATE_NUMBERS.ESTAB ? 'ESTAB' : undefined;
}

/** One struct inet_diag_msg, after its header. */
function portSocketAt(bytes: Buffer, view: DataView, at: number, family: 4 | 6): PortSocket | undefined {
  const body = at + HEADER;
  const state = stateOfNumber(view.getUint8(body + 1));
  if (state === undefined) return undefined;
  const length = family === 4 ? 4 : 16;
  const int = (offset: number): number => view.getUint32(body + offset, isLittleEndian);
  return {
    state,
    family,
    port: view.getUint16(body + 4),
    address: bytes.toString('hex', body + 8, body + 8 + length),
    peer: `${bytes.toString('hex', body + 24, body + 24 + length)}:${view.getUint16(body + 6)}`,
    queued: int(56),
    backlog: int(60),
    uid: int(64),
    inode: int(68),
  };
}

/** Read the messages of one answer. Returns whether it is the last. */
function readAnswer(bytes: Buffer, length: number, family: 4 | 6, found: PortSocket[]): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  for (let at = 0; at + HEADER <= length; ) {
    const size = view.getUint32(at, isLittleEndian);
    const type = view.getUint16(at + 4, isLittleEndian);
    if (type === NLMSG_DONE || type === NLMSG_ERROR || size < HEADER) return true;
    if (type === SOCK_DIAG_BY_FAMILY && size >= MESSAGE && at + MESSAGE <= length) {
      const socket = portSocketAt(bytes, view, at, family);
      if (socket !== undefined) found.push(socket);
    }
    at += (size + 3) & ~3;
  }
  return false;
}

interface NetlinkCalls {
  socket(domain: number, type: number, protocol: number): number;
  send(fd: number, data: Uint8Array, count: number, flags: number): number;
  receive(fd: number, data: Uint8Array, count: number, flags: number): number;
  close(fd: number): number;
}

function netlinkCalls(libc: Libc): NetlinkCalls {
  return {
    socket: libc.bind('int socket(int domain, int type, int protocol)'),
    send: libc.bind('intptr_t send(int fd, const void *data, size_t count, int flags)'),
    receive: libc.bind('intptr_t recv(int fd, void *data, size_t count, int flags)'),
    close: libc.bind('int close(int fd)'),
  };
}

/** The sockets of one family; undefined on an error. */
function socketsOfFamily(calls: NetlinkCalls, fd: number, question: Buffer, family: 4 | 6): PortSocket[] | undefined {
  if (calls.send(fd, question, REQUEST, 0) !== REQUEST) return undefined;
  const found: PortSocket[] = [];
  const answer = Buffer.allocUnsafe(ANSWER_BYTES);
  for (;;) {
    const length = calls.receive(fd, answer, ANSWER_BYTES, 0);
    if (length <= 0) return undefined;
    if (readAnswer(answer, length, family, found)) return found;
  }
}

/**
 * The sockets on a port by sock_diag(7), which every user may call. Undefined on an error of a call: EPROTONOSUPPORT (no sock_diag in the
 * kernel), EAFNOSUPPORT (RestrictAddressFamilies of systemd), EMFILE, ENOBUFS.
 */
export function portSocketsCall(libc: Libc): PortCalls['sockets'] {
  let calls: NetlinkCalls | undefined;
  return (port, ...states) => {
    calls ??= netlinkCalls(libc);
    const fd = calls.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0) return undefined;
    const bits = states.reduce((sum, state) => sum | (1 << STATE_NUMBERS[state]), 0);
    const found: PortSocket[] = [];
    try {
      for (const [number, family] of FAMILIES) {
        const answer = socketsOfFamily(calls, fd, dumpRequest(number, bits, port), family);
        if (answer === undefined) return undefined;
        found.push(...answer);
      }
      return found;
    } finally {
      calls.close(fd);
    }
  };
}
