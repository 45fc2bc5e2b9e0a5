/**
 * An app with three connections to a database: one is idle, one waits for an answer, and one is asked something when SIGUSR2 comes,
 * which says that the peer is gone. It prints how each ends, and what is answered.
 *
 *   node [--import socket-tune/register] app.js <ioredis | mysql2> <host> <port>
 */
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { createConnection } from 'mysql2';

const [driver = '', host = '', portText = ''] = process.argv.slice(2);
const port = Number(portText);

let goneAt = Number.NaN;

function tell(what: 'end' | 'answered', name: string, code?: string): void {
  console.log(`${what} ${JSON.stringify({ name, code, milliseconds: performance.now() - goneAt })}`);
}

/** A connection, as the app has it. */
interface Connection {
  /** A question that is answered at once. */
  ask(): Promise<unknown>;
  /** A question whose answer does not come. */
  wait(): Promise<unknown>;
}

/** Opens a connection. `onEnd` gets the error that ends it. */
type Open = (onEnd: (error: NodeJS.ErrnoException) => void) => Promise<Connection>;

const OPEN: Readonly<Record<string, Open>> = {
  async ioredis(onEnd) {
    const client = new Redis({ host, port, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    client.on('error', onEnd);
    await once(client, 'ready');
    return { ask: () => client.ping(), wait: () => client.blpop('nothing', 0) };
  },
  async mysql2(onEnd) {
    const client = createConnection({ host, port, user: 'root' });
    client.on('error', onEnd);
    await once(client, 'connect');
    const query = (text: string): Promise<unknown> => client.promise().query(text);
    return {
      // Of a connection with a question, the error is the question's.
      ask: () => query('select 1').catch(onEnd),
      wait: () => query('select sleep(3600)').catch(onEnd),
    };
  },
};

async function open(name: string): Promise<Connection> {
  const opened = await OPEN[driver]?.((error) => tell('end', name, error.code));
  if (opened === undefined) throw new Error(`no driver ${driver}`);
  await opened.ask();
  return opened;
}

const [idle, waiting, late] = await Promise.all(['idle', 'waiting', 'unacknowledged'].map(open));
const ignore = (): void => undefined;
waiting?.wait().then(ignore, ignore);
process.once('SIGUSR2', () => {
  goneAt = performance.now();
  late?.ask().then((answer) => answer !== undefined && tell('answered', 'unacknowledged'), ignore);
});
// Whether it is alive, in the end.
process.once(
  'SIGWINCH',
  () => void idle?.ask().then((answer) => answer !== undefined && tell('answered', 'idle'), ignore),
);
console.log('ready');
