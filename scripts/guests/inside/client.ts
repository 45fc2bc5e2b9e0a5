import { get } from 'node:http';

/** An answer, to its last byte. */
export interface Answer {
  readonly status: number | undefined;
  readonly body: Buffer;
}

/** Ask by http.get, as fetch finds no connection in wine. */
export function ask(url: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks) }));
    }).on('error', reject);
  });
}
