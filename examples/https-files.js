// Files over https. TLS_KEY and TLS_CERT are paths of a key and its certificate; without them, openssl makes a pair that
// is as good as any on this machine and trusted by nobody.

import { execFileSync } from 'node:child_process';
import { createReadStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join, normalize, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

const port = Number(process.env.PORT ?? 8080);
const root = resolve(process.env.ROOT ?? fileURLToPath(new URL('public', import.meta.url)));

function makeCertificate() {
  const directory = mkdtempSync(join(tmpdir(), 'https-files-'));
  const [keyFile, certFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  try {
    execFileSync('openssl', ['req', '-x509', '-days', '2', ...key, ...names, '-out', certFile], { stdio: 'pipe' });
    return { key: readFileSync(keyFile), cert: readFileSync(certFile) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function certificate() {
  const { TLS_KEY, TLS_CERT } = process.env;
  if (TLS_KEY === undefined || TLS_CERT === undefined) return makeCertificate();
  return { key: readFileSync(TLS_KEY), cert: readFileSync(TLS_CERT) };
}

async function serve(request, response) {
  const { pathname } = new URL(request.url, 'https://localhost');
  const file = join(root, normalize(decodeURIComponent(pathname)));
  const stats = await stat(file);
  if (!stats.isFile()) throw new Error('not a file');
  response.writeHead(200, { 'content-length': stats.size });
  await pipeline(createReadStream(file), response);
}

const server = createServer(certificate(), (request, response) => {
  serve(request, response).catch(() => {
    if (response.headersSent) response.destroy();
    else response.writeHead(404).end('Not found\n');
  });
});

server.listen(port, '127.0.0.1', () => {
  console.log(`listening on https://127.0.0.1:${server.address().port}`);
});

process.on('SIGTERM', () => server.close());
