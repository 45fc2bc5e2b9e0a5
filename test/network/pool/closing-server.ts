/**
 * A worker thread with a server that closes its connections when it is told to, and wakes who waits once the kernel has told the client's
 * ends. It counts requests that come twice.
 */
import { readFileSync } from 'node:fs';
import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import type { Closing, Seen, ServerData } from './stale-pool.js';

const { isSecure, key, cert, closed } = workerData as ServerData;
const flag = new Int32Array(closed);

const LATE = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** include/net/tcp_states.h, as in /proc/net/tcp. */
const ESTABLISHED = '01';

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
const server: Server = isSecure
  ? https.createServer({ ...options, key: readFileSync(key), cert: readFileSync(cert) }, onRequest)
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

/** Whether the kernel has told a client's end: it has the FIN, or the connection is gone. Or the client has closed it. */
function isTold(rows: readonly string[], clientPort: number, serverPort: number): boolean {
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0');
  const row = rows.find((each) => new RegExp(`^ *\\d+: \\w+:${hex(clientPort)} \\w+:${hex(serverPort)} `).test(each));
  return row === undefined || row.trim().split(/\s+/)[3] !== ESTABLISHED;
}

function closeAll(closing: Closing): void {
  const { port } = server.address() as AddressInfo;
  const ports = [...open.values()].map((socket) => socket.remotePort ?? 0);
  for (const [socket, carrier] of open) ENDINGS[closing](socket, carrier);
  open.clear();
  const look = (): void => {
    const rows = readFileSync('/proc/net/tcp', 'latin1').split('\n');
    if (!ports.every((each) => isTold(rows, each, port))) return void setImmediate(look);
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
  };
  look();
}

parentPort?.on('message', (message: Closing | 'seen') => {
  if (message !== 'seen') return closeAll(message);
  const counts = [...requests.values()];
  const seen: Seen = { connections, repeated: counts.filter((count) => count > 1).length };
  parentPort?.postMessage(seen);
});
server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));
