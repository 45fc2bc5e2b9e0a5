// A file by Node alone: its size, then a stream of it.

import { createReadStream, stat } from 'node:fs';
import { join } from 'node:path';
import { directory, serve } from './serve.js';

serve((request, response) => {
  const file = join(directory, request.url ?? '');
  stat(file, (error, stats) => {
    if (error !== null) {
      response.writeHead(404, { 'content-length': 0 }).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': stats.size });
    createReadStream(file).pipe(response);
  });
});
