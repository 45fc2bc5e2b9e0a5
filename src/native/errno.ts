/** Numbers of the system's errors, by name: errno(3). */
export const { errno: ERRNO } = process.getBuiltinModule('node:os').constants;

/** Name of an error: `EPERM` for 1. */
export function errnoName(code: number): string {
  return Object.entries(ERRNO).find(([, value]) => value === code)?.[0] ?? `errno ${code}`;
}
