import { createReadStream } from 'node:fs';
import { Agent, get } from 'node:http';
import { pipeline } from 'node:stream';
import { digest } from '../../../support/files/content.js';
import { SAMPLE_SIZES, type SampleName, sampleBytes } from '../../../support/files/sample-files.js';
import type { Recorder } from '../../harness/recorder.js';
import { listening, openClient, portOf, request, watchedServer } from '../exchange.js';
import { samplePath } from '../samples.js';
import { fileScenarios } from '../scenario.js';
import { countBytes } from '../watch.js';

/** Ask for a path and compare what comes, byte for byte. */
function fetchRight(port: number, agent: Agent, path: string, expected: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    get({ port, agent, path, host: '127.0.0.1' }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => resolve(Buffer.concat(chunks).equals(expected)));
    }).on('error', reject);
  });
}

/** Ask `requests` times over `connections` connections that stay, and write down how many answers were right. */
async function askMany(
  recorder: Recorder,
  port: number,
  { requests, connections, names }: { requests: number; connections: number; names: readonly SampleName[] },
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const expected = names.map(sampleBytes);
  let asked = 0;
  let right = 0;
  const askOn = async (): Promise<void> => {
    while (asked < requests) {
      const which = asked++ % names.length;
      if (await fetchRight(port, agent, `/${names[which]}`, expected[which] ?? Buffer.alloc(0))) right++;
    }
  };
  await Promise.all(Array.from({ length: connections }, askOn));
  recorder.note('right answers', right);
  agent.destroy();
}

/** A server that answers with the file that the path names; half of the files by pipeline, with their length. */
function fileServer(recorder: Recorder) {
  let requests = 0;
  return watchedServer(
    recorder,
    ({ request: incoming, response }) => {
      const name = incoming.url?.slice(1) as SampleName;
      const stream = countBytes(recorder, createReadStream(samplePath(name)));
      requests++;
      if (requests % 2 === 0) stream.pipe(response);
      else {
        response.setHeader('content-length', SAMPLE_SIZES[name]);
        pipeline(stream, response, () => undefined);
      }
    },
    {},
    undefined,
    false,
  );
}

export const scenarios = fileScenarios({
  // Long enough for the optimising compiler to have compiled Node's write path with regions in it.
  '3000 files over 8 connections that are kept alive': {
    travel: { rerouted: 3000 },
    run: async (recorder) => {
      const server = await listening(fileServer(recorder));
      await askMany(recorder, portOf(server), { requests: 3000, connections: 8, names: ['10k', '100k'] });
      server.close();
    },
  },

  '50 connections at once, with files of 1 MB among small ones': {
    travel: { mixed: { 'empty-file': 25 } },
    run: async (recorder) => {
      const server = await listening(fileServer(recorder));
      const names = ['1m', '100', '1m-and-1', '0', '64k-and-1', '1'] as const;
      await askMany(recorder, portOf(server), { requests: 150, connections: 50, names });
      server.close();
    },
  },

  'a slow reader of 20 MB': {
    travel: { rerouted: 1 },
    run: async (recorder) => {
      const server = await listening(fileServer(recorder));
      const client = openClient(recorder, portOf(server), request('GET /20m', ['Connection: close']));
      const ticker = setInterval(() => {
        // It has read something, or it has not begun.
        if (!client.socket.isPaused()) return;
        client.socket.once('data', () => client.socket.pause());
        client.read();
      }, 2);
      const received = await client.all;
      clearInterval(ticker);
      recorder.note('received', digest(received.subarray(received.indexOf('\r\n\r\n'))));
      server.close();
    },
  },

  'a slow reader beside many fast ones': {
    travel: { mixed: {} },
    run: async (recorder) => {
      const server = await listening(fileServer(recorder));
      const client = openClient(recorder, portOf(server), request('GET /20m', ['Connection: close']));
      await askMany(recorder, portOf(server), { requests: 200, connections: 10, names: ['100k', '100'] });
      client.read();
      const received = await client.all;
      recorder.note('received', digest(received.subarray(received.indexOf('\r\n\r\n'))));
      server.close();
    },
  },
});
