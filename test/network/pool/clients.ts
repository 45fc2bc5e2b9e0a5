import http from 'node:http';
import https from 'node:https';

/** Sends a POST, and returns the status of the answer once it is there to the last byte. */
export type Post = (url: string, body: string) => Promise<number>;

function byAgent(both: { readonly http: http.Agent; readonly https: https.Agent }): Post {
  return (url, body) =>
    new Promise((resolve, reject) => {
      const request = url.startsWith('https:')
        ? https.request(url, { method: 'POST', agent: both.https })
        : http.request(url, { method: 'POST', agent: both.http });
      request.on('error', reject).on('response', (response) => {
        response.on('error', reject).on('end', () => resolve(response.statusCode ?? 0));
        response.resume();
      });
      request.end(body);
    });
}

const keepAlive = { keepAlive: true } as const;

function agents(options: http.AgentOptions = {}): { readonly http: http.Agent; readonly https: https.Agent } {
  return {
    http: new http.Agent({ ...keepAlive, ...options }),
    https: new https.Agent({ ...keepAlive, ...options }),
  };
}

/** What we use of undici, the same in each version. */
interface Undici {
  request(
    url: string,
    options: { readonly method: 'POST'; readonly body: string },
  ): Promise<{ readonly statusCode: number; readonly body: { text(): Promise<string> } }>;
}

function byUndici({ request }: Undici): Post {
  return async (url, body) => {
    const answer = await request(url, { method: 'POST', body });
    await answer.body.text();
    return answer.statusCode;
  };
}

/** Clients with pools, each by its name. They are loaded when they are asked for. */
export const CLIENTS: Readonly<Record<string, () => Promise<Post>>> = {
  'http.Agent': async () => byAgent(agents()),
  'http.Agent, fifo': async () => byAgent(agents({ scheduling: 'fifo' })),
  'http.Agent, one socket': async () => byAgent(agents({ maxSockets: 1 })),
  fetch: async () => async (url, body) => {
    const answer = await fetch(url, { method: 'POST', body });
    await answer.text();
    return answer.status;
  },
  'undici 6': async () => byUndici(await import('undici6')),
  'undici 7': async () => byUndici(await import('undici7')),
  'undici 8': async () => byUndici(await import('undici8')),
  axios: async () => {
    const { default: axios } = await import('axios');
    const both = agents();
    const client = axios.create({ httpAgent: both.http, httpsAgent: both.https, validateStatus: () => true });
    return async (url, body) => (await client.post(url, body)).status;
  },
  got: async () => {
    const { default: got } = await import('got');
    const client = got.extend({ agent: agents(), retry: { limit: 0 }, throwHttpErrors: false });
    return async (url, body) => (await client.post(url, { body })).statusCode;
  },
};

/** Whether the running Node has what a client needs: undici 8 wants Node 22.19. */
export function isRunnable(client: string): boolean {
  return client !== 'undici 8' || Number(process.versions.node.split('.')[0]) >= 22;
}
