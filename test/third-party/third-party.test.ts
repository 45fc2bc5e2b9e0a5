import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { satisfies } from 'semver';
import { FRAMEWORKS_FILE, frameworksPage } from '../../scripts/pages/frameworks-page.js';
import { digest } from '../support/files/content.js';
import { sampleBytes } from '../support/files/sample-files.js';
import { deniedWindows, fastBytes, reasons, regionBytes } from '../support/files/travel.js';
import { BY_IMPORT } from '../support/processes/node-process.js';
import { repository } from '../support/processes/scratch-project.js';
import type { WireResponse } from '../support/sockets/http-wire.js';
import { FRAMEWORKS, type Framework } from './frameworks.js';
import { manifestOf } from './manifest.js';
import { type Performance, perform } from './performance.js';
import { FILE_QUESTIONS, statusOf } from './requests.js';

/** Reasons that depend on the request or the machine, and not on the framework. */
const ANYWHERE = ['destination-not-ready', 'destination-ended', 'no-body', 'empty-file'];

/** What a stream reads at a time. */
const CHUNK = 64 << 10;

function comparable(responses: readonly WireResponse[]): unknown {
  return responses.map(({ head, body, trailers }) => ({ head, body: digest(body), trailers }));
}

/**
 * Which call meets the end of a client that reset its connection is a matter of time. Now and then it is one that has sent bytes
 * before, and says only so: the next one then finds EPIPE (docs/deviations.md).
 */
const BY_RESET = /(?:read|write) (?:ECONNRESET|EPIPE)/;

/** Lines of standard error, once each and without where in the code. */
function complaints({ process: { stderr } }: Performance): string[] {
  const lines = stderr.split('\n').filter((line) => !/^\s+at /.test(line));
  return [...new Set(lines.map((line) => line.replace(/\(node:\d+\)/, '(node)').replace(BY_RESET, 'reset')))].sort();
}

/** The Node that a framework wants, if it is another one. */
function missingNode({ packages }: Framework): string | undefined {
  const wanted = packages.map((name) => manifestOf(name).engines?.node ?? '*');
  return wanted.find((range) => !satisfies(process.versions.node, range));
}

function expectSkills({ answers }: Performance, { knows }: Framework): void {
  const status = (title: string): number => statusOf(answers.get(title)?.[0]);
  expect(status('a range')).to.equal(knows.includes('range') ? 206 : 200);
  // http-server ignores the range `-20000`.
  if (knows.includes('last bytes')) expect(status('the end of a file')).to.equal(206);
  else expect(status('the end of a file')).to.not.equal(206);
  expect(status('a range beyond the end')).to.equal(knows.includes('range') ? 416 : 200);
  expect(status('a file known by its ETag')).to.equal(knows.includes('etag') ? 304 : 200);
  expect(status('a file not modified since')).to.equal(knows.includes('last-modified') ? 304 : 200);
  expect(status('no such file')).to.equal(404);
}

/** How many bytes of files must have gone as regions. */
function bytesToReroute({ answers }: Performance, { rerouted }: Framework): number {
  const statuses = rerouted === 'whole' ? [200] : [200, 206];
  const before = rerouted === 'rest' ? CHUNK : 0;
  const bodies = FILE_QUESTIONS.flatMap(({ title }) => answers.get(title) ?? []);
  return bodies.reduce(
    (sum, one) => sum + (statuses.includes(statusOf(one)) ? Math.max(one.body.length - before, 0) : 0),
    0,
  );
}

function expectTravel(tuned: Performance, framework: Framework): void {
  const { report } = tuned.process;
  if (report === undefined) throw new Error('no report');
  const { files } = report;
  const others = Object.keys(reasons(files)).filter((reason) => !ANYWHERE.includes(reason));
  expect(others).to.have.members([...framework.reasons]);
  const sent = regionBytes(files);
  if (framework.rerouted === 'none') {
    expect(files).to.include({ reroutedStreams: 0 });
    expect(sent).to.equal(0);
    return;
  }
  expect(files.reroutedStreams).to.be.above(0);
  expect(fastBytes(files)).to.be.above(sent / 2);
  if (deniedWindows(files) > 0) return;
  expect(sent).to.be.at.least(bytesToReroute(tuned, framework));
}

describe('a framework', () => {
  it('is in the table for every app, and has an app', () => {
    const apps = readdirSync(join(repository, 'test/third-party/apps'), { encoding: 'utf8', recursive: true })
      .filter((name) => /\.c?js$/.test(name))
      .map((name) => name.replace(/\.js$/, ''));
    expect(FRAMEWORKS.map(({ app }) => app)).to.have.members(apps);
  });

  it('is in docs/frameworks.md as it was tested', () => {
    expect(readFileSync(FRAMEWORKS_FILE, 'utf8')).to.equal(frameworksPage());
  });

  for (const framework of FRAMEWORKS) {
    const node = missingNode(framework);
    if (node !== undefined) {
      it.skip(`${framework.app} (wants Node ${node})`);
      continue;
    }
    describe(framework.app, () => {
      let stock: Performance;
      let tuned: Performance;

      before(async () => {
        [stock, tuned] = await Promise.all([perform(framework.app, []), perform(framework.app, BY_IMPORT)]);
      });

      it('sends every file as it is', () => {
        const bodyOf = (title: string): string => digest(tuned.answers.get(title)?.[0]?.body ?? '');
        expect(bodyOf('a large file')).to.equal(digest(sampleBytes('1m-and-1')));
        expect(bodyOf('an empty file')).to.equal(digest());
        expect(bodyOf('a small file')).to.equal(digest(sampleBytes('10k')));
        expect(bodyOf('a page')).to.equal(digest(sampleBytes('64k-and-1')));
      });

      it('knows of ranges and conditions what the table says', () => {
        expectSkills(stock, framework);
      });

      it('answers every request as it does without the preload', () => {
        for (const [title, answers] of stock.answers) {
          expect(answers, title).to.not.be.empty;
          expect(comparable(tuned.answers.get(title) ?? []), title).to.deep.equal(comparable(answers));
        }
      });

      it('serves on after downloads were broken off, and keeps no more files open', () => {
        expect(tuned.afterwards.map(({ body }) => digest(body))).to.deep.equal([digest(sampleBytes('64k-and-1'))]);
        expect(comparable(tuned.afterwards)).to.deep.equal(comparable(stock.afterwards));
        expect(tuned.leftOpen).to.be.at.most(stock.leftOpen);
      });

      it('ends as it does without the preload, and says the same', () => {
        const { code, signal } = stock.process;
        expect(tuned.process).to.include({ code, signal });
        expect(complaints(tuned)).to.deep.equal(complaints(stock));
      });

      it(framework.rerouted === 'none' ? 'has its files sent as ever' : 'has its files sent by sendfile', () => {
        expect(stock.process.report).to.equal(undefined);
        expectTravel(tuned, framework);
      });
    });
  }
});
