import type { IncomingMessage, ServerResponse } from 'node:http';

/** Read the whole request and answer with a few bytes. */
export function takeUpload(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  request.on('end', () => {
    const body = `${bytes} bytes\n`;
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length }).end(body);
  });
}
