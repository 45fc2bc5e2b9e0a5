import { expect } from 'chai';
import { isRerouted } from '../support/files/travel.js';
import { fileApp, fileAppOutput } from '../support/processes/file-app.js';
import { BY_IMPORT, type EndedProcess, runApp } from '../support/processes/node-process.js';

/** Ways to add a property to Object.prototype. Stock Node works with each of them, once http is loaded. */
const extensions: Record<string, string> = {
  'a string': `Object.prototype.extended = 'x'`,
  'an object': 'Object.prototype.extended = {}',
  'a function': 'Object.prototype.extended = function () {}',
  'a getter that throws': `Object.defineProperty(Object.prototype, 'extended', {
    configurable: true, enumerable: true, get() { throw new Error('asked for'); } })`,
  // What descriptors are made of, and the names of what a config, a row of the table and Node's handles may lack.
  ...Object.fromEntries(
    [
      ...['value', 'writable', 'enumerable', 'configurable'],
      ...['ports', 'raw', 'priority', 'mark', 'congestionControl', 'reusePort'],
      ...['requires', 'range', 'words', 'floor', 'ipv6Only', 'since', 'default'],
      ...['divisor', 'greatest', 'acceptedOnly', 'afterListen', 'call', 'privileged', '_parent'],
    ].map((name) => [`'${name}'`, `Object.prototype.${name} = 'x'`]),
  ),
};

const SHOW = `
const shown = JSON.stringify(Object.entries(Object.getOwnPropertyDescriptors(Object.prototype)));
process.on('exit', () => {
  console.log(shown === JSON.stringify(Object.entries(Object.getOwnPropertyDescriptors(Object.prototype))));
});
`;

function expectTuned({ code, stdout, stderr, report }: EndedProcess, like: EndedProcess): void {
  expect({ code, stdout, stderr }).to.deep.equal({ code: 0, stdout: `${fileAppOutput('100k', 3)}true\n`, stderr: '' });
  expect(isRerouted(report?.files)).to.equal(true);
  const outcomes = (ended?: EndedProcess['report']): unknown[] =>
    (ended?.listeners ?? []).map((listener) => [listener.outcomes, listener.accepted]);
  expect(outcomes(report)).to.deep.equal(outcomes(like.report));
}

describe('an app that has put on Object.prototype', () => {
  let plain: EndedProcess;
  before(async () => {
    plain = await runApp('mjs', SHOW + fileApp('100k', 3));
    expectTuned(plain, plain);
    expect(plain.report?.listeners[0]?.outcomes).not.to.deep.equal([]);
  });

  for (const [name, extension] of Object.entries(extensions)) {
    it(`${name} is tuned as any other, and finds it there as it was`, async () => {
      expectTuned(await runApp('mjs', `${extension};${SHOW}${fileApp('100k', 3)}`), plain);
    });
  }

  it('a string before anything else is loaded is tuned as well', async () => {
    const preload = [...BY_IMPORT, '--import', `data:text/javascript,Object.prototype.extended = 'x'`];
    expectTuned(await runApp('mjs', SHOW + fileApp('100k', 3), { preload }), plain);
  });

  it('what cannot be taken away runs, and is warned once', async () => {
    const lasting = `Object.defineProperty(Object.prototype, 'extended', { enumerable: true, value: 'x' });`;
    const { code, stdout, stderr } = await runApp('mjs', lasting + SHOW + fileApp('100k', 3));
    expect({ code, stdout }).to.deep.equal({ code: 0, stdout: `${fileAppOutput('100k', 3)}true\n` });
    expect(stderr.match(/Warning:/g)).to.have.length(1);
    expect(stderr).to.match(/\[SOCKET_TUNE_NO_NATIVE\].*Getter must be a function/);
  });
});
