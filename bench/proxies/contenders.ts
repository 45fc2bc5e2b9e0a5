import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, stock, tuned } from '../contenders.js';
import { startAtFreePort } from '../listening.js';
import { hasProgram } from '../machine.js';
import type { Server } from '../server.js';

/** One thread in TCP mode: Debian's package, and its splice options where they are asked for. */
function configuration(port: number, target: number, splices: boolean): string {
  const options = ['splice-auto', 'splice-request', 'splice-response'];
  return `
global
  nbthread 1
  maxconn 1000
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
${splices ? options.map((option) => `  option ${option}`).join('\n') : '  no option splice-auto'}
listen proxy
  bind 127.0.0.1:${port}
  server target 127.0.0.1:${target}
`;
}

async function haproxy(target: number, scratch: string, splices: boolean): Promise<Contender> {
  const name = splices ? 'HAProxy, splice' : 'HAProxy';
  const config = join(scratch, splices ? 'splice.cfg' : 'copy.cfg');
  const server: Server = await startAtFreePort((port) => {
    writeFileSync(config, configuration(port, target, splices));
    return ['haproxy', '-db', '-f', config];
  });
  return { name, server };
}

/** The app stock and tuned. Its report goes to the directory. */
export function apps(app: string, target: number, scratch: string): Promise<Contender>[] {
  const environment = { TARGET: String(target) };
  const report = { SOCKET_TUNE_REPORT: join(scratch, `${app.replaceAll('/', '-')}.json`) };
  return [stock(app, environment), tuned(app, { ...environment, ...report, SOCKET_TUNE_SPLICE: 'auto' })];
}

/** TCP proxies. */
export function tcpProxies(target: number, scratch: string): Promise<Contender>[] {
  const proxies = hasProgram('haproxy') ? [false, true].map((splices) => haproxy(target, scratch, splices)) : [];
  return [...apps('proxies/apps/tcp-proxy', target, scratch), ...proxies];
}
