/** What differs between the nginx of a measurement and that of another. */
export interface NginxSite {
  /** Inside `http`, ahead of the server. */
  readonly http: string;
  readonly port: number;
  /** Inside `server`. */
  readonly server: string;
}

/** One process without a master: its CPU time is in one place, and its files are under its prefix. */
export function nginxConfiguration({ http, port, server }: NginxSite): string {
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
  ${http}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    ${server}
  }
}
`;
}

/** As people have a pool of connections to an upstream: HTTP/1.1 without `Connection`. */
export const POOLED = 'proxy_http_version 1.1; proxy_set_header Connection "";';
