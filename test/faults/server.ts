/**
 * An app that serves files, and knows nothing of socket-tune: over HTTP and, with the file's name as all there is to a request,
 * over plain sockets, each by TCP and by a Unix socket.
 *
 *   node [--import socket-tune/register] server.js <directory of files> <directory for Unix sockets>
 */
import { once } from 'node:events';
import { createReadStream, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pipeline } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openDescriptors } from '../support/test-run/descriptors.js';
import { SECOND_BODY } from './verdict.js';

const [directory = '.', sockets = '.'] = process.argv.slice(2);
const delay = monitorEventLoopDelay({ resolution: 1 });
let lastError = '';
/** After how long responses timed out, in milliseconds. */
const timeouts: number[] = [];

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function sendFile(response: ServerResponse, framing: string, path: string, query: URLSearchParams): void {
  const { size } = statSync(path);
  const start = Number(query.get('start') ?? 0);
  const end = Number(query.get('end') ?? size - 1);
  const ahead = Number(query.get('ahead') ?? 0);
  if (framing === 'length') response.setHeader('content-length', ahead + end - start + 1);
  if (ahead > 0) response.write(Buffer.alloc(ahead, 'h'));
  // Most libraries for static files set an `end`, as they have promised a length. Handwritten apps do not.
  const stream = createReadStream(path, query.has('unbounded') ? {} : { start, end });
  const timeout = Number(query.get('timeout') ?? 0);
  const began = performance.now();
  if (timeout > 0) response.socket?.setTimeout(timeout, () => timeouts.push(performance.now() - began));
  if (query.has('pipeline')) {
    pipeline(stream, response, (error) => {
      if (error) lastError = error.code ?? error.message;
    });
    return;
  }
  stream.on('error', (error: NodeJS.ErrnoException) => {
    lastError = error.code ?? error.message;
    response.destroy();
  });
  response.on('close', () => stream.destroy());
  stream.pipe(response);
}

function state(): object {
  // Twice: the second one returns memory that the first has freed.
  collectGarbage();
  collectGarbage();
  const { rss, heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const delays = { p99: delay.percentile(99) / 1e6, most: delay.max / 1e6 };
  delay.reset();
  const fds = openDescriptors();
  return { fds, rss, heapUsed, external, cpu: (user + system) / 1e3, delays, lastError, timeouts };
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const [, first = '', name = ''] = pathname.split('/');
  if (first === 'length' || first === 'chunked') {
    try {
      sendFile(response, first, join(directory, name), searchParams);
    } catch (error) {
      response.statusCode = 404;
      response.end(String(error));
    }
  } else if (first === 'second') response.end(SECOND_BODY);
  else if (first === 'state') response.end(JSON.stringify(state()));
  else if (first === 'exit') response.end(() => process.exit());
  else response.end();
}

function answerRaw(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  socket.once('data', (line) => {
    const stream = createReadStream(join(directory, line.toString().trim()));
    stream.on('error', () => socket.destroy());
    socket.on('close', () => stream.destroy());
    stream.pipe(socket);
  });
}

const http = createServer(answer).listen(0, '127.0.0.1');
const raw = createNetServer(answerRaw).listen(0, '127.0.0.1');
const unixHttp = createServer(answer).listen(join(sockets, 'http'));
const unixRaw = createNetServer(answerRaw).listen(join(sockets, 'raw'));
await Promise.all([http, raw, unixHttp, unixRaw].map((server) => once(server, 'listening')));
delay.enable();
console.log(`ports ${(http.address() as AddressInfo).port} ${(raw.address() as AddressInfo).port}`);
