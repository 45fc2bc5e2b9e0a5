import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startAtFreePort } from '../listening.js';
import type { Server } from '../server.js';

/** Proxies that the measurements know; their programs have the same names. */
export type ProxyName = 'nginx' | 'haproxy';

const COMMANDS: Readonly<Record<ProxyName, (config: string, directory: string) => readonly string[]>> = {
  nginx: (config, directory) => ['nginx', '-p', directory, '-c', config],
  haproxy: (config) => ['haproxy', '-db', '-q', '-f', config],
};

/** Start a proxy with its files in a directory of its own. */
export function startProxyProcess(
  name: ProxyName,
  directory: string,
  configuration: (port: number) => string,
): Promise<Server> {
  mkdirSync(directory, { recursive: true });
  const config = join(directory, `${name}.conf`);
  return startAtFreePort((port) => {
    writeFileSync(config, configuration(port));
    return COMMANDS[name](config, directory);
  });
}
