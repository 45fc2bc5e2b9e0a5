/** A proxy for CONNECT: proxy-chain as its README has it. */
import { Server } from 'proxy-chain';

const server = new Server({ port: 0, host: '127.0.0.1' });
await server.listen();
console.log(server.port);
