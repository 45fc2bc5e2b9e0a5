/**
 * A server that closes its connections when its parent says how. It counts requests that come twice.
 *
 *   fork('closing-server.js', ['secure' | 'plain', directory of the certificate])
 */
import { readFileSync } from 'node:fs';
import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import type { Closing, Seen } from './stale-pool.js';

const [scheme, directory = ''] = process.argv.slice(2);
const isSecure = scheme === 'secure';

const LATE = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** The connections, each with the socket that carries it. */
const open = new Map<Socket, Socket>();
const requests = new Map<string, number>();
let connections = 0;

const ENDINGS: { readonly [K in Closing]: (socket: Socket, below: Socket) => void } = {
  FIN: (socket) => socket.end(),
  RST: (_socket, below) => below.resetAndDestroy(),
  '408 and FIN': (socket) => socket.end(LATE),
};

const onRequest: RequestListener = (request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => {
    requests.set(body, (requests.get(body) ?? 0) + 1);
    response.end('ok');
  });
};

const options = { keepAliveTimeout: 0, noDelay: true };
const pem = (name: string): Buffer => readFileSync(join(directory, `${name}.pem`));
const server: Server = isSecure
  ? https.createServer({ ...options, key: pem('key'), cert: pem('cert') }, onRequest)
  : http.createServer(options, onRequest);

/** The sockets of the kernel's connections, by the port of the client. */
const carriers = new Map<number, Socket>();

function note(socket: Socket): void {
  const carrier = carriers.get(socket.remotePort ?? 0);
  if (carrier !== undefined) open.set(socket, carrier);
  socket.on('error', () => undefined).once('close', () => open.delete(socket));
}

server.on('connection', (socket: Socket) => {
  connections++;
  carriers.set(socket.remotePort ?? 0, socket);
  if (!isSecure) note(socket);
});
server.on('secureConnection', note);

process.on('message', (message: Closing | 'seen') => {
  if (message !== 'seen') {
    for (const [socket, carrier] of open) ENDINGS[message](socket, carrier);
    return open.clear();
  }
  const seen: Seen = { connections, repeated: [...requests.values()].filter((count) => count > 1).length };
  process.send?.(seen);
});
process.once('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
