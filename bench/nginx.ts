import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Server, startServer } from './server.js';

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

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** Start nginx on a directory of files, with its own files in another directory. */
export async function startNginx(files: string, prefix: string): Promise<Server> {
  mkdirSync(prefix, { recursive: true });
  const port = await freePort();
  const config = join(prefix, 'nginx.conf');
  writeFileSync(config, configuration(port, files));
  const server = await startServer(['nginx', '-p', prefix, '-c', config], { port });
  for (let tries = 0; !(await isListening(port)); tries++) {
    if (tries === 100) {
      await server.stop();
      throw new Error('nginx does not listen');
    }
    await sleep(20);
  }
  return server;
}
