import { readdirSync } from 'node:fs';
import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { expect } from 'chai';
import type { Report } from '../../src/report/report.js';
import { digest } from '../support/files/content.js';
import { type SampleName, sampleBytes, sampleDirectory } from '../support/files/sample-files.js';
import { fastBytes } from '../support/files/travel.js';
import { BY_IMPORT, readReport, reportFile, startNode } from '../support/processes/node-process.js';
import { repository, scratchProject } from '../support/processes/scratch-project.js';
import { makeCertificate } from '../support/sockets/certificate.js';

/** What an example does, and how its files travel under the preload. */
interface Example {
  readonly hasHello: boolean;
  readonly hasRanges: boolean;
  /** Its files go by sendfile. */
  readonly isRerouted: boolean;
}

const EXAMPLES: Readonly<Record<string, Example>> = {
  'http-files.js': { hasHello: true, hasRanges: true, isRerouted: true },
  'express-static.js': { hasHello: true, hasRanges: true, isRerouted: true },
  'fastify-static.js': { hasHello: true, hasRanges: true, isRerouted: true },
  'koa-send.js': { hasHello: true, hasRanges: false, isRerouted: true },
  'cluster.cjs': { hasHello: false, hasRanges: false, isRerouted: true },
  'https-files.js': { hasHello: false, hasRanges: false, isRerouted: false },
  'net-files.js': { hasHello: false, hasRanges: false, isRerouted: true },
};

const FILES = ['0', '1', '100', '10k', '64k-and-1', '1m-and-1'] as const satisfies readonly SampleName[];

interface Question {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer in a form that can be compared. */
interface Answer {
  readonly status: number | undefined;
  readonly headers: readonly string[];
  readonly body: string;
}

const MASKED = /^(?:date|x-worker)$/i;

/** Express puts the stack of an error into its page. The stack ends differently; see docs/deviations.md, 14. */
const STACK = /(?:<br> &nbsp; &nbsp;at [^<]*)+/;

/** One connection for all requests. Closing it after each body may be too early for the server. */
function connectionTo(base: string): HttpAgent {
  const options = { keepAlive: true, maxSockets: 1 };
  return base.startsWith('https:') ? new HttpsAgent({ ...options, rejectUnauthorized: false }) : new HttpAgent(options);
}

function ask(base: string, agent: HttpAgent, { path, method = 'GET', headers = {} }: Question): Promise<Answer> {
  const request = base.startsWith('https:') ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const client = request(`${base}${path}`, { method, headers, agent });
    client.on('error', reject).on('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const { rawHeaders, statusCode: status } = incoming;
        const body = Buffer.concat(chunks);
        const hasStack = STACK.test(body.toString('latin1'));
        const isMasked = (name = ''): boolean => MASKED.test(name) || (hasStack && /^content-length$/i.test(name));
        const masked = rawHeaders.map((text, index) => (isMasked(rawHeaders[index - 1]) ? 'masked' : text));
        const compared = hasStack ? Buffer.from(body.toString('latin1').replace(STACK, ''), 'latin1') : body;
        resolve({ status, headers: masked, body: digest(compared) });
      });
    });
    client.end();
  });
}

/** Ask a raw TCP server for a file by its line. */
function askByLine(base: string, name: string): Promise<Answer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const client = connect(Number(port), hostname, () => client.write(`${name}\n`));
    client.on('data', (chunk) => chunks.push(chunk)).on('error', reject);
    client.on('end', () => resolve({ status: undefined, headers: [], body: digest(...chunks) }));
  });
}

function questions({ hasHello, hasRanges }: Example): Question[] {
  return [
    ...FILES.map((name) => ({ path: `/${encodeURIComponent(name)}` })),
    { path: '/../package.json' },
    { path: '/1m-and-1', method: 'HEAD' },
    ...(hasHello ? [{ path: '/hello' }] : []),
    ...(hasRanges ? ['bytes=100-600000', 'bytes=-20000', 'bytes=5000000-'] : []).map((range) => ({
      path: '/1m-and-1',
      headers: { range },
    })),
    { path: '/none', headers: { connection: 'close' } },
  ];
}

interface Performance {
  readonly answers: Readonly<Record<string, Answer>>;
  readonly reports: readonly Report[];
}

/** Start an example, ask it everything, and end it by SIGTERM, which it must obey. */
async function perform(name: string, example: Example, preload: readonly string[]): Promise<Performance> {
  const pattern = reportFile().replace('.json', '-%p.json');
  const { key, cert } = makeCertificate(scratchProject());
  const env = {
    PORT: '0',
    ROOT: sampleDirectory(),
    TLS_KEY: key,
    TLS_CERT: cert,
    SOCKET_TUNE_REPORT: pattern,
    NODE_ENV: 'test',
  };
  const server = startNode([...preload, join(repository, 'examples', name)], { env });
  const [, base = ''] = await server.until(/listening on (\S+)/);
  const agent = connectionTo(base);
  const answers: Record<string, Answer> = {};
  for (const question of questions(example)) {
    const { path, method, headers } = question;
    const title = [method, path, headers?.range].filter((word) => word !== undefined).join(' ');
    if (base.startsWith('tcp:')) answers[title] = await askByLine(base, decodeURIComponent(path.slice(1)));
    else answers[title] = await ask(base, agent, question);
  }
  server.child.kill('SIGTERM');
  const { code, signal, stdout, stderr } = await server.ended;
  expect({ code, signal, stderr }).to.deep.equal({ code: 0, signal: null, stderr: '' });
  expect(stdout).to.match(/^listening on \S+\n$/);
  const prefix = basename(pattern).replace('%p.json', '');
  const files = readdirSync(dirname(pattern)).filter((file) => file.startsWith(prefix));
  return { answers, reports: files.flatMap((file) => readReport(join(dirname(pattern), file)) ?? []) };
}

describe('an example', () => {
  it('is here for every file in examples/ that is an app', () => {
    const apps = readdirSync(join(repository, 'examples')).filter((name) => /\.c?js$/.test(name));
    expect(Object.keys(EXAMPLES).sort()).to.deep.equal(apps.sort());
  });

  for (const [name, example] of Object.entries(EXAMPLES)) {
    describe(name, () => {
      let stock: Performance;
      let tuned: Performance;

      before(async () => {
        [stock, tuned] = await Promise.all([perform(name, example, []), perform(name, example, BY_IMPORT)]);
      });

      it('sends every file as it is, and ends on SIGTERM', () => {
        for (const file of FILES) {
          expect(tuned.answers[`/${encodeURIComponent(file)}`]?.body, file).to.equal(digest(sampleBytes(file)));
        }
      });

      it('answers every request as it does without the preload', () => {
        expect(stock.reports).to.deep.equal([]);
        for (const [question, answer] of Object.entries(stock.answers)) {
          expect(tuned.answers[question], question).to.deep.equal(answer);
        }
      });

      if (name !== 'net-files.js') {
        it('has no such file where there is none', () => {
          expect(tuned.answers['/none']).to.include({ status: 404 });
        });
      }

      if (example.hasRanges) {
        it('sends a range of a file', () => {
          const expected = sampleBytes('1m-and-1').subarray(100, 600_001);
          const answer = tuned.answers['/1m-and-1 bytes=100-600000'];
          expect(answer).to.include({ status: 206, body: digest(expected) });
        });
      }

      it(example.isRerouted ? 'has its files sent by sendfile' : 'has its files sent as ever', () => {
        const sent = tuned.reports.reduce((sum, { files }) => sum + fastBytes(files), 0);
        if (example.isRerouted) expect(sent).to.be.at.least((10 << 10) + (64 << 10) + 1 + (1 << 20) + 1);
        else expect(sent).to.equal(0);
        expect(tuned.reports.flatMap(({ listeners }) => listeners.flatMap(({ accepted }) => accepted))).to.deep.include(
          {
            option: 'keepAliveIdle',
            constant: 'TCP_KEEPIDLE',
            asked: 60,
            kernel: 60,
            verdict: 'inherited',
          },
        );
      });
    });
  }
});
