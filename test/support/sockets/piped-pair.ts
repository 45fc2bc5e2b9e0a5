import type { Socket } from 'node:net';
import type { Platform, SpliceCalls } from '../../../src/native/platform.js';
import type { NetSocket } from '../../../src/node/net.js';
import { linux } from './kernel-value.js';
import { type SocketPair, socketPair } from './socket-pair.js';

/** A connection that comes in, and one that goes out, as a proxy has them. */
export interface Relay {
  /** Who sends to the source. */
  readonly sender: Socket;
  /** What is piped. */
  readonly source: NetSocket;
  /** Where it is piped to. */
  readonly sink: NetSocket;
  /** Who gets what the sink is given. */
  readonly receiver: Socket;
  close(): void;
}

/** @param paths of Unix sockets, for either connection; TCP without one */
export async function relay(...paths: readonly [source?: string, sink?: string]): Promise<Relay> {
  const [incoming, outgoing]: SocketPair[] = [await socketPair(paths[0]), await socketPair(paths[1])];
  if (incoming === undefined || outgoing === undefined) throw new Error('two connections were made');
  for (const socket of [incoming.client, incoming.accepted, outgoing.client, outgoing.accepted]) {
    socket.on('error', () => undefined);
  }
  return {
    sender: incoming.client,
    source: incoming.accepted,
    sink: outgoing.accepted,
    receiver: outgoing.client,
    close() {
      incoming.close();
      outgoing.close();
    },
  };
}

/** The calls of the running kernel. */
export function realSplicing(): SpliceCalls {
  const calls = linux().splicing();
  if (calls === undefined) throw new Error('this system cannot splice');
  return calls;
}

/** The running kernel, with some calls that a test has changed. */
export function splicingPlatform(calls: Partial<SpliceCalls> = {}): Platform {
  return { ...linux(), splicing: () => ({ ...realSplicing(), ...calls }) };
}
