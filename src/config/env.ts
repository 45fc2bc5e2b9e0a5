/** Prefix of every variable but `SOCKET_TUNE` itself. */
export const PREFIX = 'SOCKET_TUNE_';

/** A primary that makes the listeners of its workers sets it in their environment. */
const PRIMARY_VARIABLE = 'SOCKET_TUNE_CLUSTER_PRIMARY';

/** The variable, for the environment of workers. */
export const PRIMARY_MARK: Readonly<Record<string, string>> = { [PRIMARY_VARIABLE]: '1' };

/** Whether the primary makes our listeners. Deletes the variable, so that neither the app nor child processes see it. */
export function takePrimaryMark(): boolean {
  const isSet = process.env[PRIMARY_VARIABLE] !== undefined;
  if (isSet) delete process.env[PRIMARY_VARIABLE];
  return isSet;
}

/** Our variables that are set, by their full names. An empty value counts as unset, as in most shells. */
export function readEnvironment(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  // Only a look at every name finds misspelt ones.
  for (const name of Object.keys(process.env)) {
    if (name !== 'SOCKET_TUNE' && !name.startsWith(PREFIX)) continue;
    const value = process.env[name];
    if (value !== undefined && value !== '') found.set(name, value);
  }
  return found;
}

/** A variable that is not ours. Undefined: not set. */
export function readVariable(name: string): string | undefined {
  return process.env[name];
}

/**
 * Whether libuv's thread pool has one thread (libuv src/threadpool.c). Its calls then end in the order in which they were made, and an app
 * may rely on that.
 */
export function hasPoolOfOne(): boolean {
  const size = readVariable('UV_THREADPOOL_SIZE');
  return size !== undefined && !(Number.parseInt(size, 10) > 1);
}

/** The environment of a child process: ours, with these variables added. */
export function childEnvironment(variables: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, ...variables };
}
