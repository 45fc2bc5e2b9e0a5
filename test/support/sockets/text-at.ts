import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

/** What a server answers at a URL. fetch() would leave its dispatcher in the process. */
export async function textAt(url: string | URL): Promise<string> {
  const [response] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
  return await text(response);
}
