/**
 * An app that takes the steps of sessions, and knows nothing of socket-tune; a run starts it:
 *
 *   node [--import dist/register.js] server.js <directory for Unix sockets>
 */
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { SocketHandle } from '../../../src/node/net.js';
import { setKernelValue } from '../../support/sockets/kernel-value.js';
import { bytesOf, rangeOf } from '../session/bytes.js';
import { applyChange } from '../session/changes.js';
import type { Connection, Exchange, Session } from '../session/program.js';
import type { ConnectionRecord, FromServer, ToServer } from './messages.js';
import { type Destination, perform } from './perform.js';

const [sockets = '.'] = process.argv.slice(2);

interface Running {
  readonly directory: string;
  readonly session: Session;
  readonly records: Map<number, ConnectionRecord>;
  readonly routes: Record<string, number>;
}

const running = new Map<number, Running>();
/** How often the server must look the same to have stalled. */
const STALLED_LOOKS = 3;
const LOOK_MS = 10;

function tell(message: FromServer): void {
  process.send?.(message);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function tellWhenStalled(
  number: number,
  connection: number,
  socket: Socket,
  record: ConnectionRecord,
): Promise<void> {
  let last = '';
  for (let looks = 0; looks < STALLED_LOOKS && !socket.destroyed; ) {
    await pause(LOOK_MS);
    const steps = record.exchanges.map(({ begun, streams }) => [begun, streams]);
    const now = JSON.stringify([socket.bytesWritten, socket.writableLength, steps]);
    looks = now === last ? looks + 1 : 0;
    last = now;
  }
  tell({ type: 'stalled', number, connection });
}

/** The record of a connection. It begins with the first request. */
function recordOf(number: number, { session, records }: Running, index: number, socket: Socket): ConnectionRecord {
  const known = records.get(index);
  if (known !== undefined) return known;
  const record: ConnectionRecord = { bytesWritten: 0, writableLength: 0, isClosed: false, exchanges: [] };
  records.set(index, record);
  socket.on('close', () => {
    record.bytesWritten = socket.bytesWritten;
    record.writableLength = socket.writableLength;
    record.isClosed = true;
  });
  const { sendBuffer, noDelay, reader } = connectionOf(session, index);
  const handle = Reflect.get(socket, '_handle') as SocketHandle;
  if (sendBuffer !== undefined) setKernelValue(handle, 'SO_SNDBUF', sendBuffer);
  if (noDelay) socket.setNoDelay(true);
  if (reader.starts === 'when the server stalls') void tellWhenStalled(number, index, socket, record);
  return record;
}

function connectionOf({ connections }: Session, index: number): Connection {
  const connection = connections[index];
  if (connection === undefined) throw new Error(`no connection ${index}`);
  return connection;
}

function bodyLength({ files }: Session, { steps }: Exchange): number {
  let length = 0;
  for (const step of steps) {
    if (step.do === 'file') length += rangeOf(step, files[step.file]?.size ?? 0).length;
    else if ((step.do === 'write' || step.do === 'end') && step.data !== undefined) length += bytesOf(step.data).length;
  }
  return length;
}

function serve(number: number, index: number, exchangeIndex: number, socket: Socket, destination: Destination): void {
  const run = running.get(number);
  if (run === undefined) throw new Error(`no session ${number}`);
  const { directory, session } = run;
  const exchange = connectionOf(session, index).exchanges[exchangeIndex];
  if (exchange === undefined) throw new Error(`no exchange ${exchangeIndex}`);
  const record = { begun: 0, isDone: false, isFinished: false, fills: [], streams: [], errors: [] };
  recordOf(number, run, index, socket).exchanges[exchangeIndex] = record;
  if (destination instanceof ServerResponse) {
    destination.setHeader('X-Exchange', exchangeIndex);
    if (exchange.framing === 'length') destination.setHeader('Content-Length', bodyLength(session, exchange));
  }
  const pathOf = (file: number): string => join(directory, String(file));
  void perform(
    {
      destination,
      connection: socket,
      record,
      pathOf,
      change(step, file, change) {
        const path = pathOf(file);
        if (change.by === 'server') applyChange(path, change);
        else tell({ type: 'change', number, connection: index, exchange: exchangeIndex, step, path, change });
      },
    },
    exchange.steps,
  );
}

function serveHttp(request: IncomingMessage, response: ServerResponse): void {
  const [, number, connection, exchange] = (request.url ?? '').split('/').map(Number);
  serve(number ?? -1, connection ?? -1, exchange ?? -1, request.socket, response);
}

function serveRaw(socket: Socket): void {
  socket.once('data', (line) => {
    const [number, connection] = line.toString().split(' ').map(Number);
    serve(number ?? -1, connection ?? -1, 0, socket, socket);
  });
}

function descriptorsBelow(directory: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(`${directory}/`);
    } catch {
      // The one that listed the directory.
      return false;
    }
  }).length;
}

function isDone({ records, directory }: Running): boolean {
  for (const { isClosed, exchanges } of records.values()) {
    const streams = exchanges.flatMap((exchange) => exchange.streams);
    if (!isClosed || exchanges.some((exchange) => !exchange.isDone)) return false;
    if (streams.some(({ closes, hasClosed }) => closes && !hasClosed)) return false;
  }
  return descriptorsBelow(directory) === 0;
}

/** The thread pool closes files, and a machine may be busy: a few thousand turns of the loop are enough for all that will come. */
async function finish(number: number): Promise<void> {
  const run = running.get(number);
  if (run === undefined) throw new Error(`no session ${number}`);
  for (let round = 0; round < 2000 && !isDone(run); round++) await pause(round < 5 ? 1 : 5);
  running.delete(number);
  const connections = run.session.connections.map(
    (_, index) => run.records.get(index) ?? { bytesWritten: 0, writableLength: 0, isClosed: false, exchanges: [] },
  );
  const descriptorsLeft = descriptorsBelow(run.directory);
  tell({ type: 'finished', number, served: { connections, descriptorsLeft, routes: run.routes } });
}

function countRoute(message: unknown): void {
  // A stream on a descriptor has no path, even if one was passed.
  const { path, route } = message as { path: string | undefined; route: string };
  if (path === undefined) return;
  for (const { directory, routes } of running.values()) {
    if (path.startsWith(`${directory}/`)) routes[route] = (routes[route] ?? 0) + 1;
  }
}

async function listening(server: Server, place: number | string): Promise<number | string> {
  server.listen(place);
  await once(server, 'listening');
  return typeof place === 'string' ? place : (server.address() as AddressInfo).port;
}

// A connection that waits for a client on a busy machine has not timed out.
const timeouts = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, connectionsCheckingInterval: 2 ** 30 };
const http = (): Server => createServer(timeouts, serveHttp);
const raw = (): Server => createNetServer(serveRaw);
subscribe('socket-tune:file', countRoute);
process.once('disconnect', () => process.exit());
process.on('message', (message: ToServer) => {
  if (message.type === 'stop') process.exit();
  if (message.type === 'finish') return void finish(message.number);
  const { number, directory, session } = message;
  running.set(number, { directory, session, records: new Map(), routes: {} });
  tell({ type: 'ready', number });
});
tell({
  type: 'listening',
  places: {
    http: { tcp: await listening(http(), 0), unix: await listening(http(), join(sockets, 'http')) },
    raw: { tcp: await listening(raw(), 0), unix: await listening(raw(), join(sockets, 'raw')) },
  },
});
