/** http-proxy as its README has it for WebSockets, in front of the port in TARGET. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import httpProxy from 'http-proxy';

const proxy = httpProxy.createProxyServer({ target: `http://127.0.0.1:${process.env.TARGET}`, ws: true });
const server = createServer((request, response) => proxy.web(request, response));
server.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head));
proxy.on('error', () => undefined);
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
