import { join } from 'node:path';
import { SAMPLE_SIZES, type SampleName, sampleDirectory } from '../files/sample-files.js';

/**
 * An http server that pipes a sample file into each answer, and a client that asks for it `requests` times, each on a
 * connection of its own, and prints how many bytes came. Then it ends.
 */
export function fileApp(name: SampleName = '100k', requests = 1): string {
  return `
import { createServer, get } from 'node:http';
import { createReadStream } from 'node:fs';
const server = createServer((request, response) => {
  createReadStream(${JSON.stringify(join(sampleDirectory(), name))}).pipe(response);
});
server.listen(0, '127.0.0.1', async () => {
  for (let index = 0; index < ${requests}; index++) {
    await new Promise((resolve) => {
      get({ port: server.address().port, host: '127.0.0.1', agent: false }, (response) => {
        let bytes = 0;
        response.on('data', (chunk) => { bytes += chunk.length; });
        response.on('end', () => { console.log(bytes); resolve(); });
      });
    });
  }
  server.close();
});`;
}

/** What it prints. */
export function fileAppOutput(name: SampleName = '100k', requests = 1): string {
  return `${SAMPLE_SIZES[name]}\n`.repeat(requests);
}
