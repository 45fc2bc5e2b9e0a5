/** Prefix of every variable but `SOCKET_TUNE` itself. */
export const PREFIX = 'SOCKET_TUNE_';

/** Set by a primary with socket-tune for the workers that it forks: it makes their listeners. */
const PRIMARY_VARIABLE = 'SOCKET_TUNE_CLUSTER_PRIMARY';

/** As it is put into their environment. */
export const PRIMARY_MARK: Readonly<Record<string, string>> = { [PRIMARY_VARIABLE]: '1' };

/** Whether the primary has said so. The variable is taken away: it is not the app's, nor for processes that this one starts. */
export function takePrimaryMark(): boolean {
  const isSet = process.env[PRIMARY_VARIABLE] !== undefined;
  if (isSet) delete process.env[PRIMARY_VARIABLE];
  return isSet;
}

/** Variables of ours that are set, by their full names. An empty value counts as unset, as shells make it easy to write. */
export function readEnvironment(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  // Reading every name costs a system-wide copy, but only once, and it is the only way to notice a misspelt one.
  for (const name of Object.keys(process.env)) {
    if (name !== 'SOCKET_TUNE' && !name.startsWith(PREFIX)) continue;
    const value = process.env[name];
    if (value !== undefined && value !== '') found.set(name, value);
  }
  return found;
}

/** A variable that is not ours; undefined if it is unset. */
export function readVariable(name: string): string | undefined {
  return process.env[name];
}

/** The environment of a child: ours, and some variables upon it. */
export function childEnvironment(variables: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, ...variables };
}
