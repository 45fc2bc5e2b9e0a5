import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheOf, install } from '../install.js';
import { startAtFreePort } from '../listening.js';
import type { Server } from '../server.js';

const VERSION = '16.4.6';
const REACT = '19.2.0';

/** The app, built once. It is too large for the packages of this project: 340 MB. */
const APP = cacheOf(`next-${VERSION}`);
const BUILT = join(APP, '.next/BUILD_ID');
const COMMAND = join(APP, 'node_modules/next/dist/bin/next');
const ENVIRONMENT = { NEXT_TELEMETRY_DISABLED: '1' } as const;

function build(): void {
  install(`Next ${VERSION}`, APP, [`next@${VERSION}`, `react@${REACT}`, `react-dom@${REACT}`]);
  mkdirSync(join(APP, 'pages'), { recursive: true });
  writeFileSync(join(APP, 'pages/index.js'), 'module.exports = function Page() { return null; };\n');
  const env = { ...process.env, ...ENVIRONMENT };
  spawnSync(process.execPath, [COMMAND, 'build'], { cwd: APP, env, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Whether the app is there, or may and can be made. */
export function hasNext(mayBuild: boolean): boolean {
  if (!existsSync(BUILT) && mayBuild) build();
  return existsSync(BUILT);
}

/** Next looks for public files in the app only, when it starts. */
export function publish(files: string): void {
  rmSync(join(APP, 'public'), { recursive: true, force: true });
  cpSync(files, join(APP, 'public'), { recursive: true });
}

/** Start the app by `next start`. `options` are Node's. */
export function startNext(
  options: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Server> {
  return startAtFreePort(
    (port) => [process.execPath, ...options, COMMAND, 'start', APP, '-H', '127.0.0.1', '-p', String(port)],
    { ...ENVIRONMENT, ...environment },
  );
}
