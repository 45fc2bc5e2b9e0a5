import { expect } from 'chai';
import { deniedWindows, regionBytes } from '../support/files/travel.js';
import { fileApp, fileAppOutput } from '../support/processes/file-app.js';
import { BY_IMPORT, BY_REQUIRE } from '../support/processes/node-process.js';
import { hasProgram, skipWithout } from '../support/processes/program.js';
import { writeApp } from '../support/processes/scratch-project.js';
import { type SystemCall, type TracedProcess, traceNode } from '../support/processes/strace.js';

const SOCKET_CALLS = ['bind', 'listen', 'accept4', 'setsockopt', 'getsockopt', 'sendfile', 'close'];

/** Options that Node itself never sets on a listener. */
const OURS =
  /TCP_NODELAY|SO_KEEPALIVE|TCP_KEEPIDLE|TCP_KEEPINTVL|TCP_KEEPCNT|TCP_DEFER_ACCEPT|TCP_FASTOPEN|TCP_USER_TIMEOUT/;

function traceApp(
  source: string,
  preload: readonly string[] = BY_IMPORT,
  env: Record<string, string> = {},
): Promise<TracedProcess> {
  return traceNode(SOCKET_CALLS, [...preload, writeApp('traced.mjs', source)], { env });
}

function named(calls: readonly SystemCall[], name: string): SystemCall[] {
  return calls.filter((call) => call.name === name);
}

/** The calls on each accepted socket, from its accept to its close. */
function callsPerConnection({ calls }: TracedProcess): string[][] {
  const listener = named(calls, 'listen')[0]?.fd;
  const connections: string[][] = [];
  const open = new Map<number, string[]>();
  for (const { name, fd, text, result } of calls) {
    if (name === 'accept4' && fd === listener && result >= 0) {
      const own: string[] = [];
      connections.push(own);
      open.set(result, own);
    } else if (name === 'close') open.delete(fd);
    else open.get(fd)?.push(`${name} ${text.split(', ')[2] ?? ''}`);
  }
  return connections;
}

/** An http server that answers requests that come whole, each on a connection of its own. */
function helloApp(answer = "response.end('hello')"): string {
  return `
import { createServer, get } from 'node:http';
const server = createServer((request, response) => ${answer});
server.listen(0, '127.0.0.1', async () => {
  for (let index = 0; index < 5; index++) {
    await new Promise((resolve) => {
      get({ port: server.address().port, host: '127.0.0.1', agent: false }, (response) => response.resume().on('end', resolve));
    });
  }
  server.close();
});`;
}

describe('the system calls of an app under the preload', () => {
  before(function () {
    if (!hasProgram('strace')) skipWithout(this, 'strace');
  });

  it('set every option between bind and listen', async () => {
    const { calls, code } = await traceApp(helloApp());
    expect(code).to.equal(0);
    const [listen] = named(calls, 'listen');
    const onListener = calls.filter(({ name, fd }) => fd === listen?.fd && name !== 'accept4' && name !== 'close');
    const bind = onListener.findIndex(({ name }) => name === 'bind');
    const end = onListener.findIndex(({ name }) => name === 'listen');
    const set = onListener.flatMap(({ name, text }, index) => {
      const [option] = OURS.exec(text) ?? [];
      return name === 'setsockopt' && option !== undefined ? [{ option, isBetween: index > bind && index < end }] : [];
    });
    expect(set).to.deep.equal(
      ['TCP_NODELAY', 'SO_KEEPALIVE', 'TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT', 'TCP_FASTOPEN'].map((option) => ({
        option,
        isBetween: true,
      })),
    );
  });

  for (const [manner, answer] of Object.entries({
    'at once': "response.end('hello')",
    later: "setImmediate(() => response.end('hello'))",
  })) {
    it(`are none on an accepted socket after the first, but those of stock Node, where the app answers ${manner}`, async () => {
      const source = helloApp(answer);
      const [stock, tuned] = [await traceApp(source, []), await traceApp(source)];
      const [ofStock, ofTuned] = [callsPerConnection(stock), callsPerConnection(tuned)];
      expect(ofTuned).to.have.length(5);
      expect(ofTuned.slice(1)).to.deep.equal(ofStock.slice(1));
      // On the first connection it looks whether the kernel does pass everything on.
      expect(ofTuned[0]).to.include('getsockopt TCP_KEEPIDLE').and.include('getsockopt TCP_KEEPCNT');
      expect(ofTuned[0]).not.to.include('setsockopt TCP_KEEPIDLE');
    });
  }

  it('are set once when the preload is loaded twice', async () => {
    const { calls } = await traceApp(helloApp(), [...BY_REQUIRE, ...BY_IMPORT]);
    expect(named(calls, 'setsockopt').filter(({ text }) => text.includes('TCP_KEEPIDLE'))).to.have.length(1);
  });

  it('send files by sendfile', async () => {
    const { calls, stdout, report } = await traceApp(fileApp('100k', 2));
    expect(stdout).to.equal(fileAppOutput('100k', 2));
    const sent = named(calls, 'sendfile').reduce((sum, { result }) => sum + Math.max(result, 0), 0);
    expect(sent).to.be.above(0);
    expect(sent).to.equal(report?.files.sendfileBytes);
  });

  it('include no sendfile when that is switched off, but the options', async () => {
    const { calls, stdout } = await traceApp(fileApp('100k', 2), BY_IMPORT, { SOCKET_TUNE_SENDFILE: 'off' });
    expect(stdout).to.equal(fileAppOutput('100k', 2));
    expect(named(calls, 'sendfile')).to.deep.equal([]);
    expect(named(calls, 'setsockopt').filter(({ text }) => text.includes('TCP_KEEPIDLE'))).to.have.length(1);
  });

  it('are those of stock Node when all is switched off', async () => {
    const stock = await traceApp(fileApp('100k', 2), []);
    const off = await traceApp(fileApp('100k', 2), BY_IMPORT, { SOCKET_TUNE: 'off' });
    const options = ({ calls }: TracedProcess): string[] =>
      calls
        .filter(({ name }) => /sockopt|sendfile/.test(name))
        .map(({ name, text }) => `${name} ${text.replace(/^\d+/, '')}`);
    expect(off.stdout).to.equal(stock.stdout);
    expect(options(off)).to.deep.equal(options(stock));
    expect(options(stock).join('\n')).not.to.match(/TCP_KEEPIDLE|sendfile/);
  });

  it('set nothing under the preset none', async () => {
    const { calls } = await traceApp(helloApp(), BY_IMPORT, { SOCKET_TUNE_PRESET: 'none' });
    const listener = named(calls, 'listen')[0]?.fd;
    const set = named(calls, 'setsockopt').filter(({ fd, text }) => fd === listener && OURS.test(text));
    expect(set).to.deep.equal([]);
  });

  it('send the headers of a file with MSG_MORE, and by a write of their own where CORK is off', async () => {
    const large = `
import { createReadStream } from 'node:fs';
import { createServer, get } from 'node:http';
const server = createServer((request, response) => createReadStream(process.execPath, { end: 199_999 }).pipe(response));
server.listen(0, '127.0.0.1', () => {
  get({ port: server.address().port, host: '127.0.0.1', agent: false }, (response) => response.resume().on('end', () => server.close()));
});`;
    const heads = async (env: Record<string, string>): Promise<string[]> => {
      const traced = await traceNode(['sendto', 'write', 'writev'], [...BY_IMPORT, writeApp('traced.mjs', large)], {
        env,
      });
      return traced.calls
        .filter(({ text }) => text.includes('HTTP/1.1 200'))
        .map(({ name, text }) => `${name} ${/MSG_MORE/.exec(text) ?? ''}`);
    };
    expect(await heads({})).to.deep.equal(['sendto MSG_MORE']);
    const [head, ...others] = await heads({ SOCKET_TUNE_CORK: 'off' });
    expect([head?.replace('writev', 'write'), others]).to.deep.equal(['write ', []]);
  });

  it('arm TCP_QUICKACK again when half a request has come, and not when a whole one has', async () => {
    const halves = `
import { createServer } from 'node:http';
import { connect } from 'node:net';
let client;
const server = createServer((request, response) => {
  request.once('data', () => setImmediate(() => client.write('67890')));
  request.on('end', () => response.end('hello'));
});
server.listen(0, '127.0.0.1', () => {
  client = connect(server.address().port, '127.0.0.1').setNoDelay(true);
  client.write('POST / HTTP/1.1\\r\\nhost: a\\r\\nconnection: close\\r\\ncontent-length: 10\\r\\n\\r\\n12345');
  client.resume().on('close', () => server.close());
});`;
    const quickAcks = ({ calls }: TracedProcess): number =>
      named(calls, 'setsockopt').filter(({ text }) => text.includes('TCP_QUICKACK')).length;
    const [half, whole] = [
      await traceApp(halves),
      await traceApp(helloApp("setImmediate(() => response.end('hello'))")),
    ];
    expect(half.report?.quickAcks).to.be.above(0);
    expect(whole.report?.quickAcks).to.equal(0);
    // The first connection shows that the option can be set.
    expect(quickAcks(half)).to.equal((half.report?.quickAcks ?? 0) + 1);
    expect(quickAcks(whole)).to.equal(1);
    const off = await traceApp(halves, BY_IMPORT, { SOCKET_TUNE_QUICKACK: 'off' });
    expect(quickAcks(off)).to.equal(0);
  });
});

describe('a system call that fails', () => {
  before(function () {
    if (!hasProgram('strace')) skipWithout(this, 'strace');
  });

  // The first setsockopt is libuv's own SO_REUSEADDR.
  const refusing = (error: string) => ({ inject: `setsockopt:error=${error}:when=2+` });

  it('is warned of once an option, and the app runs', async () => {
    const app = writeApp('refused.mjs', helloApp());
    const { code, stderr, report } = await traceNode(['setsockopt'], [...BY_IMPORT, app], refusing('EPERM'));
    expect(code).to.equal(0);
    const lines = stderr.split('\n').filter((line) => line.includes('SocketTuneWarning'));
    const constants = lines.map((line) => /SocketTuneWarning: (\w+)=/.exec(line)?.[1]);
    expect(new Set(constants).size).to.equal(constants.length);
    expect(constants).to.include('TCP_KEEPIDLE').and.include('TCP_NODELAY').and.include('TCP_FASTOPEN');
    expect(lines.find((line) => line.includes('TCP_KEEPIDLE'))).to.match(
      /\[SOCKET_TUNE_REFUSED\] SocketTuneWarning: TCP_KEEPIDLE=60 \(SOCKET_TUNE_KEEPALIVE_IDLE\) is refused: EPERM/,
    );
    const outcome = report?.listeners[0]?.outcomes.find(({ constant }) => constant === 'TCP_KEEPIDLE');
    expect(outcome).to.include({ verdict: 'refused', cause: 'EPERM' });
  });

  it('because the kernel does not know the option is warned of only if it was asked for by name', async () => {
    const app = writeApp('unknown.mjs', helloApp());
    const options = refusing('ENOPROTOOPT');
    const preset = await traceNode(['setsockopt'], [...BY_IMPORT, app], options);
    expect({ code: preset.code, stderr: preset.stderr }).to.deep.equal({ code: 0, stderr: '' });
    const byName = await traceNode(['setsockopt'], [...BY_IMPORT, app], {
      ...options,
      env: { SOCKET_TUNE_USER_TIMEOUT: '5s' },
    });
    expect(byName.code).to.equal(0);
    const lines = byName.stderr.split('\n').filter((line) => line.includes('SocketTuneWarning'));
    expect(lines).to.have.length(1);
    expect(lines[0]).to.match(/TCP_USER_TIMEOUT=5000 \(SOCKET_TUNE_USER_TIMEOUT\) is unsupported: ENOPROTOOPT/);
  });

  for (const [error, when] of [
    ['EINVAL', '1'],
    ['ENOSYS', '1+'],
    ['EPERM', '2'],
    ['EINTR', '2'],
    ['EAGAIN', '2'],
  ] as const) {
    it(`sendfile with ${error} at call ${when} costs no byte, and nothing is printed`, async () => {
      const source = fileApp('20m').replace('bytes += chunk.length', 'bytes += chunk.length; hash.update(chunk)');
      const hashing = source
        .replace('let bytes = 0;', 'let bytes = 0; const hash = createHash("sha256");')
        .replace('console.log(bytes)', 'console.log(hash.digest("hex"))');
      const app = writeApp('failing.mjs', `import { createHash } from 'node:crypto';${hashing}`);
      const inject = `sendfile:error=${error}:when=${when}`;
      const [stock, failing] = [
        await traceNode(['sendfile'], [app]),
        await traceNode(['sendfile'], [...BY_IMPORT, app], { inject }),
      ];
      const { code, stdout, stderr, calls, report } = failing;
      expect({ code, stdout, stderr }).to.deep.equal({ code: 0, stdout: stock.stdout, stderr: '' });
      expect(named(calls, 'sendfile').some(({ result }) => result < 0)).to.equal(true);
      if (report === undefined) throw new Error('no report');
      if (deniedWindows(report.files) === 0) expect(regionBytes(report.files)).to.equal(20 << 20);
      const refusals = Object.keys(report.files.copiedBytes).filter((reason) => reason === `refused:${error}`);
      expect(refusals).to.have.length(error === 'EINTR' || error === 'EAGAIN' ? 0 : 1);
    });
  }
});
