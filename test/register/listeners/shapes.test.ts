import { expect } from 'chai';
import { BY_IMPORT, runApp } from '../../support/processes/node-process.js';

/**
 * An app that tells of each object of Node's that it meets whether V8 has its properties at fixed places, or in a dictionary, and whether the
 * sockets that it has accepted and connected have one shape. An object that has lost its shape makes each access to it slow.
 */
const SOURCE = `
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const told = new Map();
const tell = (name, object) => object && told.set(name, %HasFastProperties(object));
const file = process.argv[1];

const server = http.createServer((request, response) => {
  for (const [name, object] of Object.entries({ request, response, accepted: request.socket, 'accepted handle': request.socket._handle })) {
    tell(request.url + ' ' + name, object);
  }
  const stream = request.url === '/file' ? fs.createReadStream(file) : undefined;
  tell('file stream', stream);
  if (stream) stream.pipe(response);
  else response.end('answer');
}).listen(0, '127.0.0.1');
await once(server, 'listening');
tell('server', server);
tell('listener', server._handle);
const { port } = server.address();
const agent = new http.Agent({ keepAlive: true });
for (const path of ['/', '/file', '/', '/again']) {
  const request = http.get({ port, host: '127.0.0.1', path, agent });
  const [response] = await once(request, 'response');
  for (const [name, object] of Object.entries({ request, response, connected: request.socket, 'connected handle': request.socket._handle })) {
    tell('client ' + path + ' ' + name, object);
  }
  await once(response.resume(), 'end');
}
await (await fetch('http://127.0.0.1:' + port + '/fetch')).text();
tell('agent', agent);
agent.destroy();

const echo = net.createServer((accepted) => {
  const connected = net.connect(port, '127.0.0.1');
  accepted.pipe(connected).pipe(accepted);
  connected.once('data', () => {
    tell('accepted', accepted);
    tell('connected', connected);
    told.set('one shape', %HaveSameMap(accepted, connected));
  });
}).listen(0, '127.0.0.1');
await once(echo, 'listening');
for (let count = 0; count < 2; count++) {
  const client = net.connect(echo.address().port, 'localhost');
  client.write('GET /echo HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n');
  await once(client.resume(), 'close');
}
echo.close();
tell('server', server);
server.close();
console.log([...told].map((entry) => entry.join(' ')).join('\\n'));`;

describe('what V8 knows of Node’s objects', () => {
  it('is the same in a tuned app: none has lost its shape', async () => {
    const [stock, tuned] = await Promise.all(
      [[], BY_IMPORT].map((preload) => runApp('mjs', SOURCE, { preload: ['--allow-natives-syntax', ...preload] })),
    );
    expect(stock?.stderr).to.equal('');
    expect(stock?.stdout).to.match(/^server true$/m);
    expect(tuned?.stdout).to.equal(stock?.stdout);
  });
});

/** An app that has answered a request, and whose client keeps the connection. Does it hold the request? */
const HOLDING = `
import { once } from 'node:events';
import http from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';

let request;
const server = http.createServer((incoming, response) => {
  request = new WeakRef(incoming);
  incoming.resume().once('end', () => response.end('answer'));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const agent = new http.Agent({ keepAlive: true });
await (async () => {
  const [response] = await once(http.request({ port: server.address().port, host: '127.0.0.1', method: 'POST', agent }).end('x'), 'response');
  await once(response.resume(), 'close');
})();
for (let count = 0; count < 100 && request.deref() !== undefined; count++) {
  await turn();
  gc();
}
console.log(request.deref() === undefined ? 'collected' : 'held', Object.keys(agent.freeSockets).length);
agent.destroy();
server.close();`;

describe('a connection that is kept alive', () => {
  it('holds nothing of the request that it has answered', async () => {
    for (const preload of [[], BY_IMPORT]) {
      const { stdout, stderr } = await runApp('mjs', HOLDING, { preload: ['--expose-gc', ...preload] });
      expect({ stdout, stderr }).to.deep.equal({ stdout: 'collected 1\n', stderr: '' });
    }
  });
});
