const { existsSync, readFileSync } = process.getBuiltinModule('node:fs');
const { dirname, join } = process.getBuiltinModule('node:path');

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
