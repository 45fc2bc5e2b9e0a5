// A cluster of two workers that serve files on one port. CommonJS, as much code still is.

const cluster = require('node:cluster');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const workers = 2;
const port = Number(process.env.PORT ?? 8080);
const root = path.resolve(process.env.ROOT ?? path.join(__dirname, 'public'));

function runPrimary() {
  let listening = 0;
  cluster.on('listening', (_worker, address) => {
    listening += 1;
    if (listening === workers) console.log(`listening on http://127.0.0.1:${address.port}`);
  });
  for (let i = 0; i < workers; i += 1) cluster.fork();
  process.once('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGTERM');
  });
}

async function serve(request, response) {
  const { pathname } = new URL(request.url, 'http://localhost');
  const file = path.join(root, path.normalize(decodeURIComponent(pathname)));
  const stats = await fs.promises.stat(file);
  if (!stats.isFile()) throw new Error('not a file');
  response.writeHead(200, { 'content-length': stats.size, 'x-worker': process.pid });
  const stream = fs.createReadStream(file);
  stream.on('error', () => response.destroy());
  response.on('close', () => stream.destroy());
  stream.pipe(response);
}

function runWorker() {
  const server = http.createServer((request, response) => {
    serve(request, response).catch(() => response.writeHead(404).end('Not found\n'));
  });
  server.listen(port, '127.0.0.1');
  // The channel to the primary is what keeps a worker alive when it has stopped listening.
  process.once('SIGTERM', () => server.close(() => cluster.worker.disconnect()));
}

if (cluster.isPrimary) runPrimary();
else runWorker();
