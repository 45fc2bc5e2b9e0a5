import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startAtFreePort } from '../listening.js';
import type { Server } from '../server.js';

/** A proxy in front of two servers, with connections to them in a pool. It repeats nothing that it has sent. */
export type ProxyName = 'nginx' | 'haproxy';

function nginxConfiguration(port: number, upstreams: readonly number[]): string {
  return `
daemon off;
master_process off;
pid nginx.pid;
error_log error.log crit;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_requests 1000000000;
  upstream app {
${upstreams.map((one) => `    server 127.0.0.1:${one} max_fails=0;`).join('\n')}
    keepalive 64;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`;
}

function haproxyConfiguration(port: number, upstreams: readonly number[]): string {
  return `
global
  nbthread 1
  maxconn 2000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option redispatch
  retries 3
frontend front
  bind 127.0.0.1:${port}
  default_backend app
backend app
  http-reuse always
${upstreams.map((one) => `  server s${one} 127.0.0.1:${one}`).join('\n')}
`;
}

/** Start a proxy, with its files in a directory of its own. */
export function startProxy(proxy: ProxyName, upstreams: readonly number[], directory: string): Promise<Server> {
  mkdirSync(directory, { recursive: true });
  const config = join(directory, `${proxy}.conf`);
  return startAtFreePort((port) => {
    if (proxy === 'nginx') {
      writeFileSync(config, nginxConfiguration(port, upstreams));
      return ['nginx', '-p', directory, '-c', config];
    }
    writeFileSync(config, haproxyConfiguration(port, upstreams));
    return ['haproxy', '-db', '-q', '-f', config];
  });
}
