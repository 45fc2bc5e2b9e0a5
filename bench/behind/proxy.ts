import { nginxConfiguration, POOLED } from '../proxies/nginx-configuration.js';
import { type ProxyName, startProxyProcess } from '../proxies/start.js';
import type { Server } from '../server.js';

/** A proxy in front of an app, with a pool of connections to it for each path `/0`, `/1` … */
export interface PoolingProxy {
  readonly name: ProxyName;
  /** Of SOCKET_TUNE_BEHIND. */
  readonly behind: string;
  start(app: number, pools: number, size: number, directory: string): Promise<Server>;
}

function each(pools: number, make: (pool: number) => string): string {
  return Array.from({ length: pools }, (_, pool) => make(pool)).join('\n');
}

/** Its times are nginx's own. */
function behindNginx(port: number, app: number, pools: number, size: number): string {
  const upstream = (pool: number): string => `upstream u${pool} { server 127.0.0.1:${app}; keepalive ${size}; }`;
  const location = (pool: number): string => `location /${pool} { proxy_pass http://u${pool}; }`;
  return nginxConfiguration({ http: POOLED + each(pools, upstream), port, server: each(pools, location) });
}

/** One thread, as each has pools of its own. */
function behindHaproxy(port: number, app: number, pools: number): string {
  const backend = (pool: number): string => `
backend b${pool}
  http-reuse always
  server app 127.0.0.1:${app}`;
  return `
global
  nbthread 1
  maxconn 8000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:${port}
${each(pools, (pool) => `  use_backend b${pool} if { path /${pool} }`)}
${each(pools, backend)}
`;
}

export const PROXIES: readonly PoolingProxy[] = [
  {
    name: 'nginx',
    behind: 'nginx',
    start: (app, pools, size, directory) =>
      startProxyProcess('nginx', directory, (port) => behindNginx(port, app, pools, size)),
  },
  {
    name: 'haproxy',
    behind: 'haproxy',
    start: (app, pools, _size, directory) =>
      startProxyProcess('haproxy', directory, (port) => behindHaproxy(port, app, pools)),
  },
];
