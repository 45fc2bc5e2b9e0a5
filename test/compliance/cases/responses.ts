import { createReadStream } from 'node:fs';
import type { Cases } from '../case.js';
import { exchange } from '../exchange.js';

export const cases: Cases = {
  'a file piped to a chunked response': {
    travel: { rerouted: 1 },
    run: (witness) =>
      exchange(witness, ({ response }) => {
        witness.stream('stream', createReadStream(witness.sample('100k'))).pipe(response);
      }),
  },
  'a file piped to a response with a Content-Length': {
    travel: { rerouted: 1 },
    run: (witness) =>
      exchange(witness, ({ response }) => {
        response.writeHead(200, { 'content-length': witness.sizeOf('100k') });
        witness.stream('stream', createReadStream(witness.sample('100k'))).pipe(response);
      }),
  },
};
