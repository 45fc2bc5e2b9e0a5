/** Whether the process is in the foreground of a terminal, so that Ctrl+C is for it. */
export function isInForeground(): boolean {
  const stat = processStatus();
  if (stat === undefined) return process.getBuiltinModule('node:tty').isatty(0);
  // proc_pid_stat(5): state, parent, process group, session, terminal, and the group in the terminal's foreground.
  const [, , group, , terminal, foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return terminal !== '0' && group === foreground;
}

function processStatus(): string | undefined {
  try {
    return process.getBuiltinModule('node:fs').readFileSync('/proc/self/stat', 'utf8');
  } catch {
    // Not Linux, or no /proc.
    return undefined;
  }
}
