/** Numbers of the system's errors by their names (errno(3)). */
export const { errno: ERRNO } = process.getBuiltinModule('node:os').constants;

/** `EPERM` for 1, and so on. */
export function errnoName(code: number): string {
  return Object.entries(ERRNO).find(([, value]) => value === code)?.[0] ?? `errno ${code}`;
}
