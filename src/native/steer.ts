import type { SocketHandle } from '../node-internals.js';
import { isLittleEndian } from './endianness.js';
import type { Libc } from './libc.js';
import type { Platform, SocketConstant } from './platform.js';
import { encodeProgram, type Steering, steeringProgram } from './steering.js';

const SO_ATTACH_REUSEPORT_CBPF: SocketConstant = { level: 1, name: 51 };
const SO_DETACH_REUSEPORT_BPF: SocketConstant = { level: 1, name: 68 };

/** struct sock_fprog: a number of instructions, and where they are. */
const FPROG_BYTES = 16;

/** Steer the connections of all listeners that share a port, by any one of them. */
export function steerCall(libc: Libc, set: Platform['set']): Platform['steer'] {
  const detach = Int32Array.of(0);
  // Kept until the next: the kernel is given an address, which no collector of garbage sees.
  let code: Buffer;
  return (handle: SocketHandle, steering: Steering | undefined) => {
    if (steering === undefined) return set(handle, SO_DETACH_REUSEPORT_BPF, detach);
    const program = steeringProgram(steering);
    code = encodeProgram(program);
    const fprog = new DataView(new ArrayBuffer(FPROG_BYTES));
    fprog.setUint16(0, program.length, isLittleEndian);
    fprog.setBigUint64(8, libc.address(code), isLittleEndian);
    return set(handle, SO_ATTACH_REUSEPORT_CBPF, new Uint8Array(fprog.buffer));
  };
}
