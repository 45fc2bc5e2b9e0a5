import { once } from 'node:events';
import { CLIENT_CORE, entry, pinned } from '../machine.js';
import { startProcess } from '../server.js';

/** What the peers of a proxy can do. */
export interface Jobs {
  /** Messages of 100 bytes through a WebSocket proxy and back, on eight connections. */
  readonly echo: { readonly port: number; readonly messages: number };
  /** Download through a CONNECT proxy. */
  readonly download: { readonly port: number; readonly megabytes: number };
  /** Messages of 100 bytes through the proxy and back, one at a time, while a bulk goes through it. Answers the milliseconds of each. */
  readonly beside: { readonly port: number; readonly messages: number };
}

/** Both ends of the connections through a proxy, in a process with a core of its own. */
export interface Peers {
  /** Where proxies are to connect to. */
  readonly target: number;
  readonly webSocket: number;
  ask<K extends keyof Jobs>(job: K, how: Jobs[K]): Promise<unknown>;
  stop(): Promise<void>;
}

export async function startPeers(): Promise<Peers> {
  const { child, stop } = startProcess(pinned(CLIENT_CORE, [process.execPath, entry('proxies/peers-process')]));
  if (child.stdout === null) throw new Error('no standard output');
  const [line] = await once(child.stdout, 'data');
  const post = async (path: string, body: unknown): Promise<unknown> => {
    const url = `http://127.0.0.1:${Number.parseInt(String(line), 10)}/${path}`;
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  };
  const { target, webSocket } = (await post('ports', null)) as { target: number; webSocket: number };
  return { target, webSocket, ask: post, stop };
}
