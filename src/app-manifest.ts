const { existsSync, readFileSync } = process.getBuiltinModule('node:fs');
const { dirname, join } = process.getBuiltinModule('node:path');

function isNamedBy(file: string, name: string): boolean {
  if (!existsSync(file)) return false;
  const { dependencies }: { dependencies?: unknown } = JSON.parse(readFileSync(file, 'utf8'));
  return typeof dependencies === 'object' && dependencies !== null && Object.hasOwn(dependencies, name);
}

/** Whether the package.json of a directory, or of one above it, names a package. */
function isNamedAbove(directory: string, name: string): boolean {
  try {
    if (isNamedBy(join(directory, 'package.json'), name)) return true;
  } catch {
    // Not JSON, or not readable.
  }
  const parent = dirname(directory);
  return parent !== directory && isNamedAbove(parent, name);
}

/** Whether the app depends on a package, by the package.json of its script or of the working directory. */
export function dependsOn(name: string): boolean {
  const [, script] = process.argv;
  return isNamedAbove(process.cwd(), name) || (script !== undefined && isNamedAbove(dirname(script), name));
}
