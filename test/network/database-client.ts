/**
 * An app with one query to a database, that says when it is under way and what becomes of it. SIGUSR2 tells it that the server is
 * gone.
 *
 *   node [--import socket-tune/register] database-client.js <host> <port> <waiting | unacknowledged>
 */
import pg from 'pg';

const [host = '', port = '', when = ''] = process.argv.slice(2);
const client = new pg.Client({ host, port: Number(port), user: 'postgres', database: 'postgres' });
client.on('error', () => undefined);
await client.connect();
// A first query that is answered, so that the connection is an established one.
await client.query('select 1');

function query(text: string): void {
  client.query(text).then(
    () => report({ code: 'answered' }),
    ({ code, message }: NodeJS.ErrnoException) => report({ code: code ?? message }),
  );
}

let start = Number.NaN;

function report(outcome: { readonly code: string }): void {
  console.log(`outcome ${JSON.stringify({ ...outcome, milliseconds: performance.now() - start })}`);
}

process.once('SIGUSR2', () => {
  start = performance.now();
  if (when === 'unacknowledged') query('select 2');
});

if (when === 'waiting') query('select pg_sleep(3600)');
console.log('ready');
