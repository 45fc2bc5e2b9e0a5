// A whole file by one call, with a promise.

import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { directory, serve } from './serve.js';

async function answer(file: string, response: ServerResponse): Promise<void> {
  try {
    const content = await readFile(file);
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': content.length });
    response.end(content);
  } catch {
    response.writeHead(404, { 'content-length': 0 }).end();
  }
}

serve((request, response) => void answer(join(directory, request.url ?? ''), response));
