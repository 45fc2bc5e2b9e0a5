import type { Libc } from '../../src/native/libc.js';
import { linuxPlatform } from '../../src/native/linux.js';
import type { Platform } from '../../src/native/platform.js';
import { OPTION_ROWS } from '../../src/options/table.js';

/** A call of setsockopt(2) or getsockopt(2) as a fake C library was given it. */
export interface OptionCall {
  readonly call: 'set' | 'get';
  readonly fd: number;
  readonly level: number;
  readonly name: number;
  readonly value: number;
}

/** A C library that records its calls. Each socket option keeps the value that was set. */
export interface FakeLibc extends Libc {
  readonly calls: OptionCall[];
}

/** @param errno the result of every call, 0 for success */
export function fakeLibc(errno = 0): FakeLibc {
  const calls: OptionCall[] = [];
  const values = new Map<string, number>();
  const setsockopt = (fd: number, level: number, name: number, value: Int32Array): number => {
    calls.push({ call: 'set', fd, level, name, value: value[0] ?? Number.NaN });
    if (errno === 0) values.set(`${fd} ${level} ${name}`, value[0] ?? Number.NaN);
    return errno === 0 ? 0 : -1;
  };
  const getsockopt = (fd: number, level: number, name: number, value: Int32Array): number => {
    value[0] = values.get(`${fd} ${level} ${name}`) ?? 0;
    calls.push({ call: 'get', fd, level, name, value: value[0] });
    return errno === 0 ? 0 : -1;
  };
  const functions: Readonly<Record<string, unknown>> = {
    setsockopt,
    getsockopt,
    listen: () => 0,
    socket: () => -1,
    poll: () => 0,
  };
  return {
    calls,
    bind<F>(prototype: string): F {
      const name = /(\w+)\(/.exec(prototype)?.[1] ?? '';
      // As a library does that lacks the function.
      if (functions[name] === undefined) throw new Error(`${name} is not in this library`);
      return functions[name] as F;
    },
    errno: () => errno,
    address: () => 0n,
  };
}

/** A platform with every constant of the table, on a fake C library. */
export function fakePlatform(overrides: Partial<Platform> = {}, libc: Libc = fakeLibc()): Platform {
  const constants = Object.fromEntries(
    OPTION_ROWS.map((row, index) => [row.constant, { level: 1, name: 1000 + index }]),
  );
  return {
    ...linuxPlatform(libc),
    name: 'fake',
    constants,
    autotuningCeiling: () => undefined,
    inertCause: () => undefined,
    limitOf: () => undefined,
    ...overrides,
  };
}
