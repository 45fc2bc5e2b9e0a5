import { expect } from 'chai';
import { useScratch } from '../support/files/scratch.js';
import { isRerouted } from '../support/files/travel.js';
import { fileApp, fileAppOutput } from '../support/processes/file-app.js';
import { BY_IMPORT, BY_REQUIRE, type EndedProcess, runApp, runNode } from '../support/processes/node-process.js';
import { installPackage } from '../support/processes/scratch-project.js';

/** The permission model's flags on this Node, with all that the app itself needs. */
function permissionFlags(): readonly string[] {
  const knows = (flag: string): boolean => process.allowedNodeEnvironmentFlags.has(flag);
  const model = knows('--permission') ? '--permission' : '--experimental-permission';
  return [model, '--allow-fs-read=*', '--allow-fs-write=*', ...(knows('--allow-net') ? ['--allow-net'] : [])];
}

/** Node itself warns of the permission model and its flags. */
function ourLines(stderr: string): string[] {
  return stderr.split('\n').filter((line) => /SocketTune|socket-tune|koffi|node:internal/.test(line));
}

/** @param flag of node that the warning names */
function expectUntuned({ code, stdout, stderr, report }: EndedProcess, flag = ''): void {
  expect({ code, stdout }).to.deep.equal({ code: 0, stdout: fileAppOutput('100k', 3) });
  const [warning, ...rest] = ourLines(stderr);
  expect(warning).to.match(/\[SOCKET_TUNE_NO_NATIVE\] SocketTuneWarning: native calls are not available/);
  expect(warning).to.include(flag);
  expect(rest).to.deep.equal([]);
  expect(report?.files).to.include({ reroutedStreams: 0, sendfileBytes: 0 });
  const [listener] = report?.listeners ?? [];
  for (const { verdict } of listener?.outcomes ?? []) expect(verdict).to.equal('unsupported');
}

describe('an app that may not load native code', () => {
  for (const [way, preload] of Object.entries({ '--import': BY_IMPORT, '-r': BY_REQUIRE })) {
    it(`under --permission runs, is warned once, and has what Node's own API gives, by ${way}`, async () => {
      const ended = await runApp('mjs', fileApp('100k', 3), { preload: [...permissionFlags(), ...preload] });
      expectUntuned(ended, 'start node with --allow-addons too');
      const accepted = ended.report?.listeners[0]?.accepted ?? [];
      const applied = accepted.filter(({ verdict }) => verdict === 'applied').map(({ constant }) => constant);
      expect(applied).to.deep.equal(['TCP_NODELAY', 'SO_KEEPALIVE', 'TCP_KEEPIDLE']);
    });
  }

  it('under --no-addons runs, and is warned once', async () => {
    expectUntuned(await runApp('mjs', fileApp('100k', 3), { preload: ['--no-addons', ...BY_IMPORT] }), '--no-addons');
  });

  it('under --permission with --allow-addons is tuned in full', async () => {
    const preload = [...permissionFlags(), '--allow-addons', ...BY_IMPORT];
    const { code, stdout, stderr, report } = await runApp('mjs', fileApp('100k', 3), { preload });
    expect({ code, stdout }).to.deep.equal({ code: 0, stdout: fileAppOutput('100k', 3) });
    expect(ourLines(stderr)).to.deep.equal([]);
    expect(isRerouted(report?.files)).to.equal(true);
  });

  it('is not warned when it never listens', async () => {
    const { stderr, stdout } = await runApp('mjs', `console.log('ran');`, { preload: ['--no-addons', ...BY_IMPORT] });
    expect({ stderr, stdout }).to.deep.equal({ stderr: '', stdout: 'ran\n' });
  });

  describe('because koffi was not installed', () => {
    const scratch = useScratch();
    const installed = (file: string): string => scratch.path(`node_modules/socket-tune/dist/${file}`);
    const cli = (...args: string[]): Promise<EndedProcess> => runNode([installed('cli.js'), ...args]);
    before(() => installPackage(scratch.path('node_modules/socket-tune'), { omitOptional: true }));

    for (const flag of ['--import', '-r']) {
      it(`runs, and is warned once, by ${flag}`, async () => {
        expectUntuned(await runApp('mjs', fileApp('100k', 3), { preload: [flag, installed('register.js')] }));
      });
    }

    it('is told by doctor how to get it', async () => {
      const { code, stdout } = await cli('doctor');
      expect(code).to.equal(1);
      expect(stdout).to.match(/native calls: .*Cannot find module 'koffi'.*npm install --include=optional/s);
    });

    it('has no benchmark, and is told why', async () => {
      const { code, stdout, stderr } = await cli('bench', '--quick');
      expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' });
      expect(stderr).to.match(/^error: nothing can be measured: .*Cannot find module 'koffi'/m);
      expect(await cli('bench', '--list')).to.include({ code: 0, stderr: '' });
    });
  });
});
