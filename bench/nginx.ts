import { nginxConfiguration } from './proxies/nginx-configuration.js';
import { startProxyProcess } from './proxies/start.js';
import type { Server } from './server.js';

/** Start nginx on a directory of files, with its own files in another directory. */
export function startNginx(files: string, prefix: string): Promise<Server> {
  const http = 'sendfile on; tcp_nopush on; keepalive_requests 1000000000;';
  return startProxyProcess('nginx', prefix, (port) => nginxConfiguration({ http, port, server: `root ${files};` }));
}
