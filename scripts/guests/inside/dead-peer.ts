import { once } from 'node:events';
import { createRequire } from 'node:module';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeadPeer } from '../finding.js';

/** include/uapi/asm-generic/socket.h */
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;

/** A `sock_filter`: BPF_RET | BPF_K with 0, which drops what comes. include/uapi/linux/filter.h, little-endian. */
const DROP_ALL = [0x06, 0, 0, 0, 0, 0, 0, 0];

/** Emulated processors are slow, and the time counts from the last answer on. */
const LONGEST_WAIT = 40_000;

interface Koffi {
  load(path: null): { func(prototype: string): (...args: unknown[]) => number };
  address(buffer: Buffer): bigint;
}

/** Make a socket's kernel drop every packet before TCP sees it. To its peer the machine is gone, as nothing is acknowledged. */
function silence(socket: Socket): boolean {
  const koffi = createRequire(import.meta.url)('koffi') as Koffi;
  const setsockopt = koffi
    .load(null)
    .func('int setsockopt(int fd, int level, int name, const void *value, uint32_t size)');
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
  const filter = Buffer.from(DROP_ALL);
  // `sock_fprog`: the number of instructions, and their address.
  const program = Buffer.alloc(16);
  program.writeUInt16LE(1, 0);
  program.writeBigUInt64LE(koffi.address(filter), 8);
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, program.length) === 0;
}

/**
 * Connect to the app's talker, fall silent, and wait until the app's connection has ended.
 *
 * @param asked SOCKET_TUNE_DEAD_PEER of the app, in seconds
 * @param ends asks the app for the errors of its connections
 */
export async function fallSilent(
  port: number,
  asked: number,
  ends: () => Promise<readonly string[]>,
): Promise<DeadPeer> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'data');
  if (!silence(socket)) throw new Error('the kernel takes no socket filter');
  const began = performance.now();
  try {
    while (performance.now() - began < LONGEST_WAIT) {
      const [code] = await ends();
      if (code !== undefined) return { asked, seconds: (performance.now() - began) / 1000, code };
      await sleep(100);
    }
    return { asked };
  } finally {
    socket.destroy();
  }
}
