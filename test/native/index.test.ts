import Module from 'node:module';
import { expect } from 'chai';
import type { Platform } from '../../src/native/platform.js';
import { warningsDuring } from '../support/test-run/warnings.js';

let copies = 0;

/** The platform of a process that asks for the first time. */
async function freshPlatform(): Promise<Platform> {
  const copy: typeof import('../../src/native/index.js') = await import(`../../src/native/index.js?copy=${copies++}`);
  const platform = copy.platform();
  expect(copy.platform()).to.equal(platform);
  return platform;
}

async function onSystem(system: string, act: () => Promise<void>): Promise<void> {
  const descriptor = Object.getOwnPropertyDescriptor(process, 'platform')!;
  Object.defineProperty(process, 'platform', { ...descriptor, value: system });
  try {
    await act();
  } finally {
    Object.defineProperty(process, 'platform', descriptor);
  }
}

/** Make `require('koffi')` fail with this error. */
async function withoutKoffi(error: Error, act: () => Promise<void>): Promise<void> {
  const load = Reflect.get(Module, '_load');
  Reflect.set(Module, '_load', function (this: unknown, request: string, ...rest: unknown[]): unknown {
    if (request === 'koffi') throw error;
    return Reflect.apply(load, this, [request, ...rest]);
  });
  try {
    await act();
  } finally {
    Reflect.set(Module, '_load', load);
  }
}

describe('the platform', () => {
  it('is that of the running system', async () => {
    for (const [system, name] of Object.entries({ linux: 'linux', android: 'linux', darwin: 'darwin' })) {
      await onSystem(system, async () => {
        expect((await freshPlatform()).name).to.equal(name);
      });
    }
  });

  it('is Node’s own API where the system has no table, and the cause names the system', async () => {
    await onSystem('sunos', async () => {
      expect(await freshPlatform()).to.include({
        name: 'node-api',
        unavailable: 'no table of socket options for sunos',
      });
    });
  });

  it('is Node’s own API where koffi does not load, with the cause and one warning', async () => {
    await onSystem('linux', async () => {
      expect((await freshPlatform()).name).to.equal('linux');
      const warnings = await warningsDuring(() =>
        withoutKoffi(new Error('Cannot load native addon\nRequire stack:\n- /app.js'), async () => {
          expect(await freshPlatform()).to.include({
            name: 'node-api',
            unavailable: 'native calls are not available: Cannot load native addon',
            files: undefined,
          });
          expect((await freshPlatform()).name).to.equal('node-api');
        }),
      );
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.include({ name: 'SocketTuneWarning', code: 'SOCKET_TUNE_NO_NATIVE' });
      expect(warnings[0]?.message).to.include('(Cannot load native addon)');
    });
  });
});
