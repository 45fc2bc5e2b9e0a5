import { loadLibc } from '../../../src/native/libc.js';

/** cpu_set_t of glibc and musl. */
const CPU_SET_BYTES = 128;

/** Run `act` while the main thread of this process is bound to the first CPU that it may run on, and give it that CPU. */
export function onOneCpu(act: (cpu: number) => void): void {
  const libc = loadLibc();
  type Call = (pid: number, size: number, set: Buffer) => number;
  const getAffinity = libc.bind<Call>('int sched_getaffinity(int pid, size_t size, void *set)');
  const setAffinity = libc.bind<Call>('int sched_setaffinity(int pid, size_t size, const void *set)');
  const allowed = Buffer.alloc(CPU_SET_BYTES);
  if (getAffinity(process.pid, CPU_SET_BYTES, allowed) < 0) throw new Error(`errno ${libc.errno()}`);
  const byte = allowed.findIndex((bits) => bits !== 0);
  const bit = 31 - Math.clz32((allowed[byte] ?? 0) & -(allowed[byte] ?? 0));
  const one = Buffer.alloc(CPU_SET_BYTES);
  one[byte] = 1 << bit;
  if (setAffinity(process.pid, CPU_SET_BYTES, one) < 0) throw new Error(`errno ${libc.errno()}`);
  try {
    act(byte * 8 + bit);
  } finally {
    setAffinity(process.pid, CPU_SET_BYTES, allowed);
  }
}
