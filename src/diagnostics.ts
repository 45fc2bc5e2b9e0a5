/** Prints a line with `NODE_DEBUG=socket-tune`. Without it, a call costs nothing. */
export const debug = process.getBuiltinModule('node:util').debuglog('socket-tune');

const warned = new Set<string>();

/**
 * Print a process warning, once for each subject.
 *
 * @param code does not change between versions, so that users can filter by it
 * @param subject what is reported only once, such as the name of an option
 */
export function warnOnce(code: string, subject: string, message: string): void {
  const key = `${code} ${subject}`;
  if (warned.has(key)) return;
  warned.add(key);
  process.emitWarning(message, { type: 'SocketTuneWarning', code });
}
