// A whole file by one call, with a callback.

import { readFile } from 'node:fs';
import { join } from 'node:path';
import { directory, serve } from './serve.js';

serve((request, response) => {
  readFile(join(directory, request.url ?? ''), (error, content) => {
    if (error !== null) {
      response.writeHead(404, { 'content-length': 0 }).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': content.length });
    response.end(content);
  });
});
