import type { SocketHandle } from '../../node/net.js';
import { isLittleEndian } from '../endianness.js';
import type { Libc } from '../libc.js';
import type { Platform, PortCalls, SocketConstant } from '../platform.js';
import { fdOf } from '../sockets/handle-fd.js';
import { SOCK_CLOEXEC, SOCK_NONBLOCK } from '../sockets/open-socket.js';
import { sysctl } from '../sysctl.js';
import { portSocketsCall } from './sock-diag.js';
import { encodeProgram, type Instruction, NO_NEWCOMERS, steeringProgram } from './socket-program.js';

/** include/uapi/asm-generic/socket.h */
const SO_ATTACH_FILTER: SocketConstant = { level: 1, name: 26 };
const SO_DETACH_FILTER: SocketConstant = { level: 1, name: 27 };
const SO_ATTACH_REUSEPORT_CBPF: SocketConstant = { level: 1, name: 51 };
const SO_DETACH_REUSEPORT_BPF: SocketConstant = { level: 1, name: 68 };

/** struct sock_fprog: number and address of the instructions (include/uapi/linux/filter.h). */
const FPROG_BYTES = 16;

/**
 * Calls on listeners that share a port. Programs are attached by setsockopt(2), see socket(7): EINVAL for a socket outside of a group,
 * ENOPROTOOPT before kernel 4.5, ENOENT for a program that is not there. accept4(2) answers EAGAIN for an empty queue, EMFILE without a
 * free descriptor.
 */
export function portCalls(libc: Libc, set: Platform['set']): PortCalls {
  const nothing = Int32Array.of(0);
  // Kept until the next program: the kernel has its address, which the garbage collector does not see.
  let code: Buffer;
  let accept4: ((fd: number, address: null, size: null, flags: number) => number) | undefined;
  const attach = (handle: SocketHandle, constant: SocketConstant, program: readonly Instruction[]): number => {
    code = encodeProgram(program);
    const fprog = new DataView(new ArrayBuffer(FPROG_BYTES));
    fprog.setUint16(0, program.length, isLittleEndian);
    fprog.setBigUint64(8, libc.address(code), isLittleEndian);
    return set(handle, constant, new Uint8Array(fprog.buffer));
  };
  return {
    steer(handle, steering) {
      if (steering === undefined) return set(handle, SO_DETACH_REUSEPORT_BPF, nothing);
      return attach(handle, SO_ATTACH_REUSEPORT_CBPF, steeringProgram(steering));
    },
    ignoreNewcomers: (handle) => attach(handle, SO_ATTACH_FILTER, NO_NEWCOMERS),
    acceptNewcomers: (handle) => set(handle, SO_DETACH_FILTER, nothing),
    accept(handle) {
      accept4 ??= libc.bind('int accept4(int fd, void *address, void *size, int flags)');
      const fd = accept4(fdOf(handle), null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
      return fd >= 0 ? fd : -libc.errno();
    },
    migratesConnections: () => sysctl('ipv4/tcp_migrate_req')?.[0] === 1,
    sockets: portSocketsCall(libc),
  };
}
