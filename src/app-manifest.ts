const { existsSync, readFileSync } = process.getBuiltinModule('node:fs');
const { basename, dirname, join } = process.getBuiltinModule('node:path');

function namesAny(file: string, names: readonly string[]): boolean {
  if (!existsSync(file)) return false;
  const { dependencies }: { dependencies?: unknown } = JSON.parse(readFileSync(file, 'utf8'));
  return (
    typeof dependencies === 'object' && dependencies !== null && names.some((name) => Object.hasOwn(dependencies, name))
  );
}

/** Whether the package.json of a directory, or of one above it, names one of the packages. */
function isNamedAbove(directory: string, names: readonly string[]): boolean {
  try {
    if (namesAny(join(directory, 'package.json'), names)) return true;
  } catch {
    // Not JSON, or not readable.
  }
  const parent = dirname(directory);
  return parent !== directory && isNamedAbove(parent, names);
}

/** Whether the app depends on one of some packages, by the package.json of its script or of the working directory. */
export function dependsOn(...names: readonly string[]): boolean {
  const [, script] = process.argv;
  return isNamedAbove(process.cwd(), names) || (script !== undefined && isNamedAbove(dirname(script), names));
}

/** The name in the nearest package.json that has one. */
function nameAbove(directory: string): string | undefined {
  try {
    const { name }: { name?: unknown } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    if (typeof name === 'string' && name !== '') return name;
  } catch {
    // There is none, or it is not JSON.
  }
  const parent = dirname(directory);
  return parent === directory ? undefined : nameAbove(parent);
}

let known: string | undefined;

function findName(): string {
  const [, script] = process.argv;
  // `node -e`.
  if (script === undefined) return process.title;
  const name = nameAbove(dirname(script));
  return name === undefined ? basename(script) : `${name} (${basename(script)})`;
}

/** What people call the app: the name of its package, and its script: `shop (server.js)`. */
export function appName(): string {
  known ??= findName();
  return known;
}
