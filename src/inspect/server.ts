import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { asError } from '../errors.js';
import type { Snapshot } from '../report/snapshot.js';
import { PAGE, POLICY } from './inlined-page.js';
import { metrics } from './metrics.js';
import { whyRefused } from './request.js';

/** What the server needs from its process. */
export interface InspectContext {
  readonly host: string;
  /** It listens on the first free port of this range. */
  readonly ports: readonly [first: number, last: number];
  snapshot(): Snapshot;
  /** False from the signal on that tells the process to end, or when its last server is closed. */
  isReady(): boolean;
  /** Called before it listens, so that no hook tunes or counts it. */
  exempt(server: Server): void;
  onListening(url: string): void;
  onFailure(error: Error): void;
}

interface Answer {
  /** 200 unless said otherwise. */
  readonly status?: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Generous for a page or a few numbers. A slow client must not hold a connection. */
const HEADERS_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 10_000;
const MOST_HEADER_BYTES = 8192;

const PLAIN_TYPE = 'text/plain; charset=utf-8';

const ANSWERS: ReadonlyMap<string, (context: InspectContext) => Answer | Promise<Answer>> = new Map<
  string,
  (context: InspectContext) => Answer | Promise<Answer>
>([
  ['/', () => ({ type: 'text/html; charset=utf-8', body: PAGE, headers: { 'Content-Security-Policy': POLICY } })],
  ['/snapshot.json', ({ snapshot }) => ({ type: 'application/json', body: JSON.stringify(snapshot()) })],
  // For probes: whether to send requests here, and whether the process runs.
  [
    '/ready',
    ({ isReady }) =>
      isReady() ? { type: PLAIN_TYPE, body: 'ready\n' } : { status: 503, type: PLAIN_TYPE, body: 'draining\n' },
  ],
  ['/live', () => ({ type: PLAIN_TYPE, body: 'live\n' })],
  ['/metrics', async ({ snapshot }) => metrics(snapshot())],
]);

function respond(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  response.writeHead(status, {
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

const PLAIN = { 'Content-Type': PLAIN_TYPE } as const;

async function answer(context: InspectContext, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, headers, url = '' } = request;
  const [path = ''] = url.split('?', 1);
  const refusal = whyRefused({ method, headers, path, localAddress: request.socket.localAddress }, context.host);
  if (refusal !== undefined) {
    return respond(request, response, refusal.status, { ...PLAIN, ...refusal.headers }, refusal.text);
  }
  const make = ANSWERS.get(path);
  if (make === undefined) return respond(request, response, 404, PLAIN, '/, /live, /metrics, /ready, /snapshot.json\n');
  const made = await make(context);
  respond(request, response, made.status ?? 200, { 'Content-Type': made.type, ...made.headers }, made.body);
}

function listen(context: InspectContext, server: Server, port: number): void {
  const [, last] = context.ports;
  const onError = (error: NodeJS.ErrnoException): void => {
    server.off('listening', onListening);
    if (error.code === 'EADDRINUSE' && port < last) listen(context, server, port + 1);
    else context.onFailure(error);
  };
  const onListening = (): void => {
    server.off('error', onError);
    server.on('error', context.onFailure);
    context.onListening(`http://${context.host.includes(':') ? `[${context.host}]` : context.host}:${port}/`);
  };
  server.once('error', onError).once('listening', onListening);
  // `exclusive`: else the primary of a cluster would give all workers the same port.
  server.listen({ host: context.host, port, exclusive: true });
}

/**
 * Serve the page, the metrics and the snapshot. The server never keeps the process alive.
 *
 * @returns a function that closes the server
 */
export function serve(context: InspectContext): () => void {
  const server = createServer(
    { maxHeaderSize: MOST_HEADER_BYTES, requestTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => {
      answer(context, request, response).catch((error: unknown) => {
        context.onFailure(asError(error));
        if (response.headersSent) response.destroy();
        else respond(request, response, 500, PLAIN, 'socket-tune could not make this\n');
      });
    },
  );
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.on('connection', (socket) => socket.unref());
  context.exempt(server);
  listen(context, server, context.ports[0]);
  server.unref();
  return () => {
    server.close();
    server.closeAllConnections();
  };
}
