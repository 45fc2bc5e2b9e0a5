import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { listening, reach } from './socket-pair.js';

/** Responses that are held until the test answers them. */
export interface HeldResponses {
  readonly responses: readonly ServerResponse[];
  readonly client: Socket;
  close(): void;
}

/** Send these requests over one connection and hold the responses. */
export async function holdResponses(...methods: readonly string[]): Promise<HeldResponses> {
  const responses: ServerResponse[] = [];
  const server = createServer();
  await listening(server);
  const client = connect(reach(server));
  const all = new Promise<void>((resolve) => {
    server.on('request', (_, response) => {
      responses.push(response);
      if (responses.length === methods.length) resolve();
    });
  });
  await once(client, 'connect');
  client.write(methods.map((method) => `${method} / HTTP/1.1\r\nHost: localhost\r\n\r\n`).join(''));
  await all;
  return {
    responses,
    client,
    close() {
      client.destroy();
      server.close();
      server.closeAllConnections();
    },
  };
}
