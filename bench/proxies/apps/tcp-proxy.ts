/** A TCP proxy: all that a client sends goes to the port in TARGET, and back. */
import { type AddressInfo, connect, createServer } from 'node:net';

const target = Number(process.env.TARGET);

const server = createServer((client) => {
  const upstream = connect(target, '127.0.0.1');
  client.on('error', () => upstream.destroy());
  upstream.on('error', () => client.destroy());
  client.pipe(upstream);
  upstream.pipe(client);
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
