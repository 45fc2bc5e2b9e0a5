import { spawnSync } from 'node:child_process';
import { release } from 'node:os';
import { expect } from 'chai';
import { fastBytes, regionBytes } from '../../support/files/travel.js';
import { type EndedProcess, runApp } from '../../support/processes/node-process.js';
import { skipWithout } from '../../support/processes/program.js';

const LARGE = (1 << 20) + 4321;
const SMALL = 10_000;
const ROUNDS = 4;

/** What an app's files are like. */
interface Case {
  readonly place: 'overlay' | 'tmpfs';
  /** Whether the app may write them, as only then mincore(2) tells. */
  readonly isOwner?: boolean;
  readonly isCold?: boolean;
}

/**
 * An app whose files are on a mount of its own. It writes the SHA-256 of every body. It gives its rights up as an app in a container has
 * none: the effective user decides on files.
 */
function app({ place, isOwner = true, isCold = false }: Case): string {
  return `
    const fs = require('fs');
    const http = require('http');
    const { once } = require('events');
    const { join } = require('path');
    const { createHash } = require('crypto');
    const { execFileSync } = require('child_process');
    const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');
    const top = fs.mkdtempSync(join(require('os').tmpdir(), 'mounts-'));
    fs.chmodSync(top, 0o755);
    for (const name of ['lower', 'upper', 'work', 'merged']) fs.mkdirSync(join(top, name));
    const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) => join(top, name));
    const folder = ${JSON.stringify(place)} === 'overlay' ? lower : merged;
    const options = 'lowerdir=' + lower + ',upperdir=' + upper + ',workdir=' + work;
    if (folder === merged) execFileSync('mount', ['-t', 'tmpfs', 'none', merged]);
    for (const [name, size] of [['large', ${LARGE}], ['small', ${SMALL}]]) {
      const bytes = Buffer.alloc(size);
      for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE((at * 2654435761) % 2 ** 32, at);
      fs.writeFileSync(join(folder, name), bytes, { mode: 0o644 });
    }
    if (folder === lower) execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, merged]);
    const evict = () => {
      for (const name of ['large', 'small']) {
        execFileSync('sync', [join(folder, name)]);
        execFileSync('dd', ['if=' + join(folder, name), 'iflag=nocache', 'count=0', 'status=none']);
      }
    };
    const get = async (port, name) => {
      const [response] = await once(http.get({ port, path: '/' + name }), 'response');
      const parts = [];
      for await (const part of response) parts.push(part);
      return sha(Buffer.concat(parts));
    };
    const main = async () => {
      const server = http.createServer(({ url }, response) => fs.createReadStream(merged + url).pipe(response));
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const { port } = server.address();
      const seen = [];
      if (!${isOwner}) process.seteuid(65534);
      for (let round = 0; round < ${ROUNDS}; round++) {
        if (${isCold}) evict();
        for (const name of ['large', 'small']) seen.push(await get(port, name));
        seen.push(sha(await fs.promises.readFile(join(merged, 'small'))));
      }
      process.seteuid(0);
      seen.push(sha(fs.readFileSync(join(folder, 'large'))), sha(fs.readFileSync(join(folder, 'small'))));
      console.log(JSON.stringify(seen));
      server.close();
      server.closeAllConnections();
      execFileSync('umount', [merged]);
      fs.rmSync(top, { recursive: true });
    };
    main();
  `;
}

/** Stock and tuned, each of which must have sent the files' own bytes. */
async function tuned(of: Case): Promise<EndedProcess> {
  const under = ['unshare', '-m'];
  for (const preload of [[], undefined]) {
    const ended = await runApp('cjs', app(of), preload === undefined ? { under } : { under, preload });
    expect(ended.stderr).to.equal('');
    expect(ended.code).to.equal(0);
    const seen = JSON.parse(ended.stdout) as string[];
    const [large, small] = seen.slice(-2);
    const bodies = Array.from({ length: ROUNDS }, () => [large, small, small]).flat();
    expect(seen.slice(0, -2)).to.deep.equal(bodies);
    if (preload === undefined) return ended;
  }
  throw new Error('not reached');
}

/** Whether the file system of a mount is known to calls that may not ask for it: statx(2) with STATX_MNT_ID_UNIQUE. */
function hasMountNumbers(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 8);
}

describe('files on a mount without RWF_NOWAIT', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
    const tried = 'd=$(mktemp -d) && cd $d && mkdir l u w m && mount -t overlay o -o lowerdir=l,upperdir=u,workdir=w m';
    const isMountable = spawnSync('unshare', ['-m', 'sh', '-c', tried]).status === 0;
    if (!isMountable) skipWithout(this, 'a right to mount an overlay');
  });

  for (const place of ['overlay', 'tmpfs'] as const) {
    it(`go by sendfile from ${place}, where the app may write them`, async () => {
      const files = (await tuned({ place })).report?.files;
      if (files === undefined) throw new Error('no report');
      expect(files.notRerouted).to.deep.equal({});
      expect(regionBytes(files)).to.equal(ROUNDS * (LARGE + SMALL));
      expect(files.sendfileBytes).to.be.above(LARGE);
      expect(files.copiedBytes).to.have.property('small-file', ROUNDS * SMALL);
      if (!hasMountNumbers()) return;
      // Node 26 reads a whole file by one job.
      const { read = 0, readFile = 0 } = files.inlineCalls;
      expect(read + readFile).to.be.above(0);
      expect(files.pooledCalls).not.to.have.any.keys('residency-unknown', 'not-resident');
    });

    it(`are read by Node from ${place}, where the kernel does not tell`, async () => {
      const files = (await tuned({ place, isOwner: false })).report?.files;
      if (files === undefined) throw new Error('no report');
      expect(files.notRerouted).to.deep.equal({ 'residency-unknown': 2 * ROUNDS });
      expect(fastBytes(files)).to.equal(0);
      if (hasMountNumbers()) expect(files.pooledCalls).to.have.property('residency-unknown').that.is.above(0);
    });
  }

  it('are read by Node from an overlay, where they are on the disk', async () => {
    const files = (await tuned({ place: 'overlay', isCold: true })).report?.files;
    // Read-ahead may bring the rest of a file before it is asked for.
    expect(files?.notRerouted).to.have.property('not-resident').that.is.at.least(ROUNDS);
    expect(files?.notRerouted).to.have.all.keys('not-resident');
  });
});
