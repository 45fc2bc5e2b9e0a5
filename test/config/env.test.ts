import { expect } from 'chai';
import { PREFIX, readEnvironment } from '../../src/config/env.js';

function ours(): string[] {
  return Object.keys(process.env).filter((name) => name.startsWith('SOCKET_TUNE'));
}

describe('the environment', () => {
  const saved = new Map<string, string | undefined>();

  beforeEach(() => {
    for (const name of ours()) {
      saved.set(name, process.env[name]);
      delete process.env[name];
    }
  });

  afterEach(() => {
    for (const name of ours()) delete process.env[name];
    delete process.env.UNRELATED_SOCKET_TUNE_THING;
    for (const [name, value] of saved) process.env[name] = value;
    saved.clear();
  });

  it('is empty where no variable of ours is set', () => {
    expect(readEnvironment()).to.deep.equal(new Map());
  });

  it('has every variable of ours by its full name, known or not, with its exact value', () => {
    process.env.SOCKET_TUNE = 'On';
    process.env[`${PREFIX}NODELAY`] = ' off ';
    process.env[`${PREFIX}NO_SUCH_THING`] = '1';
    expect(Object.fromEntries(readEnvironment())).to.deep.equal({
      SOCKET_TUNE: 'On',
      SOCKET_TUNE_NODELAY: ' off ',
      SOCKET_TUNE_NO_SUCH_THING: '1',
    });
  });

  it('has no other variables', () => {
    process.env.UNRELATED_SOCKET_TUNE_THING = '1';
    process.env.SOCKET_TUNER = '1';
    expect([...readEnvironment().keys()]).to.deep.equal([]);
  });

  it('counts an empty variable as unset', () => {
    process.env[`${PREFIX}RCVBUF`] = '';
    process.env[`${PREFIX}SNDBUF`] = '1m';
    expect([...readEnvironment().keys()]).to.deep.equal(['SOCKET_TUNE_SNDBUF']);
  });
});
