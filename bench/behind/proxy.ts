import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startAtFreePort } from '../listening.js';
import type { Server } from '../server.js';

/** A proxy in front of an app, with a pool of connections to it for each path `/0`, `/1` … */
export interface PoolingProxy {
  readonly name: string;
  /** Of SOCKET_TUNE_BEHIND. */
  readonly behind: string;
  start(app: number, pools: number, size: number, directory: string): Promise<Server>;
}

function each(pools: number, make: (pool: number) => string): string {
  return Array.from({ length: pools }, (_, pool) => make(pool)).join('\n');
}

/** As people have it: `keepalive`, HTTP/1.1 without `Connection`. Its times are nginx's own. */
function nginxConfiguration(port: number, app: number, pools: number, size: number): string {
  const upstream = (pool: number): string => `upstream u${pool} { server 127.0.0.1:${app}; keepalive ${size}; }`;
  const location = (pool: number): string => `location /${pool} { proxy_pass http://u${pool}; }`;
  return `
daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
error_log error.log crit;
worker_rlimit_nofile 16384;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  ${each(pools, upstream)}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    ${each(pools, location)}
  }
}
`;
}

/** One thread, as each has pools of its own. */
function haproxyConfiguration(port: number, app: number, pools: number): string {
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

function start(
  directory: string,
  file: string,
  configuration: (port: number) => string,
  command: (config: string) => readonly string[],
): Promise<Server> {
  mkdirSync(directory, { recursive: true });
  const config = join(directory, file);
  return startAtFreePort((port) => {
    writeFileSync(config, configuration(port));
    return command(config);
  });
}

/** The program has the proxy's name. */
export const PROXIES: readonly PoolingProxy[] = [
  {
    name: 'nginx',
    behind: 'nginx',
    start: (app, pools, size, directory) =>
      start(
        directory,
        'nginx.conf',
        (port) => nginxConfiguration(port, app, pools, size),
        (config) => ['nginx', '-p', directory, '-c', config],
      ),
  },
  {
    name: 'haproxy',
    behind: 'haproxy',
    start: (app, pools, _size, directory) =>
      start(
        directory,
        'haproxy.cfg',
        (port) => haproxyConfiguration(port, app, pools),
        (config) => ['haproxy', '-db', '-f', config],
      ),
  },
];
