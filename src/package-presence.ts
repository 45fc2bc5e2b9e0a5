const { existsSync } = process.getBuiltinModule('node:fs');
const { dirname, join } = process.getBuiltinModule('node:path');

function isAbove(directory: string, name: string): boolean {
  if (existsSync(join(directory, 'node_modules', name, 'package.json'))) return true;
  const parent = dirname(directory);
  return parent !== directory && isAbove(parent, name);
}

/** Whether the app could require a package, as far as where it lies and where it was started tell. */
export function mayRequire(name: string): boolean {
  const [, script] = process.argv;
  return isAbove(process.cwd(), name) || (script !== undefined && isAbove(dirname(script), name));
}
