import { expect } from 'chai';
import { startApp } from '../support/processes/node-process.js';
import { readReports, reportPattern, sharesPort } from '../support/processes/reports.js';
import { scratchProject } from '../support/processes/scratch-project.js';
import { makeCertificate } from '../support/sockets/certificate.js';
import { freePort } from '../support/sockets/free-port.js';
import { environmentOf, WAYS, type Way } from './ways.js';

/** A client that resumes the session of its first connection, until both workers have accepted it. */
const source = `
const cluster = require('node:cluster');
const tls = require('node:tls');
const { readFileSync } = require('node:fs');
const { once } = require('node:events');
const [key, cert, port] = process.argv.slice(2);
if (cluster.isPrimary) {
  if (process.env.WORKERS_PRELOAD) cluster.setupPrimary({ execArgv: ['--import', process.env.WORKERS_PRELOAD] });
  (async () => {
    const workers = [cluster.fork(), cluster.fork()];
    await Promise.all(workers.map((worker) => once(worker, 'listening')));
    let session;
    const resumed = new Set();
    const fresh = new Set();
    while (resumed.size < 2) {
      const client = tls.connect({ port, host: '127.0.0.1', ca: readFileSync(cert), session, maxVersion: 'TLSv1.2' });
      client.once('session', (ticket) => { session ??= ticket; });
      const [data] = await once(client, 'data');
      (client.isSessionReused() ? resumed : fresh).add(String(data));
      client.destroy();
      if (fresh.size > 1) break;
    }
    console.log('fresh at', fresh.size, 'resumed at', resumed.size);
    cluster.disconnect();
  })();
} else {
  tls.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => {
    socket.on('error', () => undefined).write('worker ' + cluster.worker.id);
  }).listen(port, '127.0.0.1');
}`;

describe('TLS in a cluster whose workers listen for themselves', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  // Workers must share the keys of session tickets. A primary without the preload does so only for Node's own listeners, which stay.
  const listeners: Partial<Record<Way, number>> = { stock: 0, everywhere: 2, workersOnly: 0 };
  for (const [way, count] of Object.entries(listeners) as [Way, number][]) {
    it(`resumes sessions whichever worker gave the ticket: ${way}, ${count} workers with listeners of their own`, async () => {
      const { key, cert } = makeCertificate(scratchProject());
      const pattern = reportPattern();
      const { child, ended } = startApp('cjs', source, {
        preload: WAYS[way].preload,
        args: [key, cert, String(await freePort())],
        env: {
          ...environmentOf(way),
          SOCKET_TUNE_REPORT: pattern,
        },
      });
      const { stdout, stderr } = await ended;
      expect({ stdout, stderr }).to.deep.equal({ stdout: 'fresh at 1 resumed at 2\n', stderr: '' });
      const workers = [...readReports(pattern)].filter(([pid]) => pid !== child.pid);
      const own = workers.flatMap(([, report]) => report.listeners.filter(sharesPort));
      expect(own).to.have.length(count);
    });
  }
});
