import { nginxConfiguration, POOLED } from '../proxies/nginx-configuration.js';
import { type ProxyName, startProxyProcess } from '../proxies/start.js';
import type { Server } from '../server.js';

function beforeUpstreams(port: number, upstreams: readonly number[]): string {
  const servers = upstreams.map((one) => `server 127.0.0.1:${one} max_fails=0;`).join(' ');
  return nginxConfiguration({
    http: `keepalive_requests 1000000000; upstream app { ${servers} keepalive 64; }`,
    port,
    server: `location / { proxy_pass http://app; ${POOLED} }`,
  });
}

function beforeServers(port: number, upstreams: readonly number[]): string {
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

const CONFIGURATIONS = { nginx: beforeUpstreams, haproxy: beforeServers } as const;

/** Start a proxy in front of servers, with connections to them in a pool. It repeats nothing that it has sent. */
export function startProxy(proxy: ProxyName, upstreams: readonly number[], directory: string): Promise<Server> {
  return startProxyProcess(proxy, directory, (port) => CONFIGURATIONS[proxy](port, upstreams));
}
