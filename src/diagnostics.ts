/** Lines for `NODE_DEBUG=socket-tune`; costs nothing when that is unset. */
export const debug = process.getBuiltinModule('node:util').debuglog('socket-tune');

const said = new Set<string>();

/**
 * Print one process warning, and never the same again.
 *
 * @param code stable, for people who filter warnings
 * @param subject what must not be reported twice, e.g. the option's name
 */
export function warnOnce(code: string, subject: string, message: string): void {
  const key = `${code} ${subject}`;
  if (said.has(key)) return;
  said.add(key);
  process.emitWarning(message, { type: 'SocketTuneWarning', code });
}
