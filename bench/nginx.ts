import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startAtFreePort } from './listening.js';
import type { Server } from './server.js';

/** One process without a master: its CPU time is in one place, and its files are under its prefix. */
function configuration(port: number, files: string): string {
  return `
daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
error_log error.log crit;
worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${files};
  }
}
`;
}

/** Start nginx on a directory of files, with its own files in another directory. */
export function startNginx(files: string, prefix: string): Promise<Server> {
  mkdirSync(prefix, { recursive: true });
  const config = join(prefix, 'nginx.conf');
  return startAtFreePort((port) => {
    writeFileSync(config, configuration(port, files));
    return ['nginx', '-p', prefix, '-c', config];
  });
}
