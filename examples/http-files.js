// A file server on nothing but Node: whole files, ranges, HEAD, and a small text at /hello.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream';
import { fileURLToPath } from 'node:url';

const port = Number(process.env.PORT ?? 8080);
const root = resolve(process.env.ROOT ?? fileURLToPath(new URL('public', import.meta.url)));

const types = { '.html': 'text/html; charset=utf-8', '.json': 'application/json', '.txt': 'text/plain; charset=utf-8' };

function answer(response, status, text) {
  response.writeHead(status, { 'content-type': types['.txt'], 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

/** The path of the file that a URL asks for, or undefined if there can be none inside the root. */
function fileFor(url) {
  let path;
  try {
    path = decodeURIComponent(url.split('?', 1)[0]);
  } catch {
    return undefined;
  }
  const file = resolve(root, `.${path.endsWith('/') ? `${path}index.html` : path}`);
  return file.startsWith(root + sep) && !file.includes('\0') ? file : undefined;
}

/** The first and last byte of a `bytes=first-last` header; undefined without one, null if the file has no such bytes. */
function rangeOf(header, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (match === null || match[0] === 'bytes=-') return undefined;
  const [, first, last] = match;
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start <= end ? { start, end } : null;
}

async function serve(request, response) {
  const file = fileFor(request.url);
  const stats = file && (await stat(file).catch(() => undefined));
  if (!stats?.isFile()) return answer(response, 404, 'Not found\n');

  const { size } = stats;
  const range = rangeOf(request.headers.range, size);
  if (range === null) {
    response.setHeader('content-range', `bytes */${size}`);
    return answer(response, 416, 'Range not satisfiable\n');
  }

  response.setHeader('accept-ranges', 'bytes');
  response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream');
  response.setHeader('content-length', range ? range.end - range.start + 1 : size);
  if (range) {
    response.statusCode = 206;
    response.setHeader('content-range', `bytes ${range.start}-${range.end}/${size}`);
  }
  if (request.method === 'HEAD') return response.end();

  if (range) {
    pipeline(createReadStream(file, range), response, () => {
      // On an error both streams have been destroyed by now, and there is nobody left to tell.
    });
  } else {
    const stream = createReadStream(file);
    stream.on('error', () => response.destroy());
    response.on('close', () => stream.destroy());
    stream.pipe(response);
  }
}

const server = createServer((request, response) => {
  if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, 'Method not allowed\n');
  if (request.url === '/hello') return answer(response, 200, 'Hello\n');
  return serve(request, response);
});

server.listen(port, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

process.on('SIGTERM', () => server.close());
