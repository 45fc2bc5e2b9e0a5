import type { Socket } from 'node:net';
import { get, open, type Place, pause } from '../talk.js';

/** A client that reads only when it is told to. */
export interface SlowReader {
  readonly socket: Socket;
  readonly received: () => number;
  /** Take some pieces of what has come. */
  read(pieces: number): void;
}

/** A Unix socket refuses connections while its queue is full. */
const BACKLOG_FULL = 'EAGAIN';

function connected(place: Place): Promise<Socket> {
  const socket = open(place);
  return new Promise((resolve, reject) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === BACKLOG_FULL) resolve(pause(5).then(() => connected(place)));
      else reject(error);
    });
    socket.once('connect', () => resolve(socket));
  });
}

export async function slowReader(place: Place, path: string): Promise<SlowReader> {
  const socket = await connected(place);
  let received = 0;
  let wanted = 0;
  socket.pause();
  // The server may have ended it first.
  socket.on('error', () => socket.destroy());
  socket.on('data', (piece: Buffer) => {
    received += piece.length;
    if (--wanted <= 0) socket.pause();
  });
  socket.write(get(path));
  return {
    socket,
    received: () => received,
    read(pieces) {
      wanted = pieces;
      socket.resume();
    },
  };
}
