const { errno } = process.getBuiltinModule('node:os').constants;

/** An error of a system call as Node reports it (lib/internal/errors.js `ErrnoException`). */
interface SystemError extends Error {
  errno?: number;
  code?: string;
  syscall?: string;
}

/** The last ICMP message, which the kernel reports in place of ETIMEDOUT when it gives a connection up (net/ipv4/tcp_timer.c `tcp_write_err`). */
const UNREACHABLE: ReadonlySet<unknown> = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENONET']);

const CODE = 'ETIMEDOUT';

/** The error of a read from a connection that has timed out. */
export function readTimedOut(): Error {
  const error: SystemError = new Error(`read ${CODE}`);
  error.errno = -errno.ETIMEDOUT;
  error.code = CODE;
  error.syscall = 'read';
  // Without a frame of ours: the peer is the cause.
  error.stack = `${error.name}: ${error.message}`;
  return error;
}

/**
 * Whether the kernel has given a connection up. An error by its last ICMP message is made an ETIMEDOUT: such messages end no connection by
 * themselves, and whether there was one depends on how far away the cable was cut.
 */
export function isTimedOut(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, syscall }: SystemError = error;
  if (syscall !== 'read' && syscall !== 'write') return false;
  if (typeof code === 'string' && UNREACHABLE.has(code)) nameTimeout(error, code);
  return code === CODE || (error as SystemError).code === CODE;
}

function nameTimeout(error: SystemError, code: string): void {
  error.message = error.message.replace(code, CODE);
  error.stack = error.stack?.replace(code, CODE) ?? '';
  error.errno = -errno.ETIMEDOUT;
  error.code = CODE;
}

/** Whether an error is that of an attempt to connect (lib/net.js `afterConnect`), or of attempts at all addresses of a name. */
export function isOfConnect(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isOfConnect);
  return error instanceof Error && Reflect.get(error, 'syscall') === 'connect';
}
