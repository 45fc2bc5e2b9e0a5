import { mkdirSync, readFileSync } from 'node:fs';
import { Agent, get as getByHttp } from 'node:http';
import { get as getByHttps, Agent as SecureAgent } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { ANSWER } from '../../../bench/frameworks/answer.js';
import { lineupOf, type Place, takeReport } from '../../../bench/frameworks/servers.js';
import { FILES, SUBJECTS, type Subject } from '../../../bench/frameworks/subjects.js';
import { writeBodies } from '../../../bench/scratch.js';
import { withServers } from '../../../bench/server.js';
import { useScratch } from '../../support/files/scratch.js';
import { makeCertificate } from '../../support/sockets/certificate.js';

interface Answer {
  readonly status: number | undefined;
  readonly length: string | undefined;
  readonly body: Buffer;
}

/** Connections stay open: Koa prints an error about a client that closes its own before the server has seen the end. */
const AGENTS = { http: new Agent({ keepAlive: true }), https: new SecureAgent({ keepAlive: true }) } as const;

function fetchFrom(port: number, { protocol }: Subject, name: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const get = protocol === 'https' ? getByHttps : getByHttp;
    const options = { port, host: '127.0.0.1', path: `/${name}`, agent: AGENTS[protocol], rejectUnauthorized: false };
    get(options, (response) => {
      const { statusCode: status, headers } = response;
      buffer(response).then((body) => resolve({ status, length: headers['content-length'], body }), reject);
    }).once('error', reject);
  });
}

describe('the apps of the benchmark of frameworks', () => {
  const scratch = useScratch();
  let place: Place;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    const files = scratch.path('files');
    mkdirSync(files);
    writeBodies(files, FILES);
    place = { files, scratch: scratch.path('.'), certificate: makeCertificate(scratch.path('.')) };
  });

  after(() => {
    for (const agent of Object.values(AGENTS)) agent.destroy();
  });

  for (const subject of SUBJECTS) {
    const { name, protocol, requests } = subject;

    it(`answers with all that is asked for, stock and tuned: ${name} by ${protocol}`, async () => {
      await withServers(lineupOf(subject, place, false), async (contenders) => {
        expect(contenders.map((one) => one.name)).to.deep.equal(['stock', 'tuned']);
        for (const contender of contenders) {
          for (const { body, isFile } of requests) {
            const answer = await fetchFrom(contender.server.port, subject, body.name);
            const expected = isFile ? readFileSync(`${place.files}/${body.name}`) : Buffer.from(JSON.stringify(ANSWER));
            const what = `${contender.name}, ${body.name}`;
            expect(answer, what).to.include({ status: 200, length: String(body.bytes) });
            expect(answer.body.equals(expected), what).to.equal(true);
          }
        }
      });
      expect(takeReport(place), 'the report of the tuned app').to.include.keys('reroutedStreams', 'inlineCalls');
    });
  }

  it('reports each tuned app once', () => {
    expect(takeReport(place)).to.equal(undefined);
  });
});
