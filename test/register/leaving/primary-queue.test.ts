import { expect } from 'chai';
import { until } from '../../support/until.js';
import { get, startLeaving, wireTo } from './leaving-app.js';

const WORKERS = 2;

/** Connections that come while both workers are busy. */
const CONNECTIONS = 60;

/** Of a worker's CPU, for each request. All of them take longer than a worker goes on accepting by itself. */
const WORK_MS = 25;

/** A cluster whose workers have so much to do that connections wait in its primary (lib/internal/cluster/round_robin_handle.js). */
const SOURCE = `
const cluster = require('cluster');
const print = (...values) => require('fs').writeSync(1, values.join(' ') + '\\n');
if (cluster.isPrimary) {
  let listening = 0;
  cluster.on('listening', (worker, { port }) => { if (++listening === ${WORKERS}) print('port', port); });
  for (let count = 0; count < ${WORKERS}; count++) cluster.fork();
} else {
  const work = (milliseconds) => { const end = Date.now() + milliseconds; while (Date.now() < end); };
  require('http').createServer((request, response) => {
    work(request.url === '/busy' ? 500 : ${WORK_MS});
    if (request.url === '/busy') print('was busy');
    response.end('answered');
  }).listen(0, '127.0.0.1');
}`;

describe('a cluster that is told to end while connections wait in its primary', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  for (const [name, delay] of [
    ['', '0'],
    [' after its delay', '300ms'],
  ] as const) {
    it(`answers all of them, and ends by the signal${name}`, async () => {
      const { app, port } = await startLeaving(SOURCE, {
        env: { SOCKET_TUNE_DRAIN: '20s', SOCKET_TUNE_DRAIN_DELAY: delay },
      });
      const busy = await Promise.all(Array.from({ length: WORKERS }, () => wireTo(port)));
      for (const wire of busy) wire.socket.write(get('/busy'));
      const waiting = await Promise.all(Array.from({ length: CONNECTIONS }, () => wireTo(port)));
      for (const wire of waiting) wire.socket.write(get('/'));
      app.child.kill('SIGTERM');
      await until('all have ended', () => waiting.every((wire) => wire.isOver() || /answered$/.test(wire.received())));
      const answered = waiting.filter((wire) => /answered$/.test(wire.received()));
      expect(answered).to.have.length(CONNECTIONS);
      expect((await app.ended).signal).to.equal('SIGTERM');
    });
  }
});
