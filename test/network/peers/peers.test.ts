import { expect } from 'chai';
import { skip } from '../../support/test-run/skipped.js';
import { until } from '../../support/until.js';
import { type Encounter, encounter } from './fates.js';
import { routedNetworkObstacle } from './routed-network.js';

const SET_SECONDS = 3;

/** Of a time in whole seconds, by a kernel that counts in seconds too, and on a busy machine. */
const MOST_MS = SET_SECONDS * 1500;

const SET = { SOCKET_TUNE_DEAD_PEER: `${SET_SECONDS}s` };

/** The kernel's own bound, and ours where it has none: Linux before 6.15. */
const KERNELS = { 'by RTO_MAX': SET, 'without RTO_MAX': { ...SET, SOCKET_TUNE_RTO_MAX: 'off' } };

const DEAD = [
  'accepted, idle',
  'accepted, unacknowledged',
  'outgoing, idle',
  'outgoing, unacknowledged',
  'outgoing, waiting',
  'http.Agent, waiting',
  'fetch, waiting',
];

describe('a peer', () => {
  let met: Encounter | undefined;

  before(function () {
    const why = routedNetworkObstacle();
    if (why !== undefined) skip(this, why);
  });

  afterEach(() => {
    met?.close();
    met = undefined;
  });

  for (const [kernel, env] of Object.entries(KERNELS)) {
    for (const way of ['cut', 'forget'] as const) {
      const what = way === 'cut' ? 'whose cable is cut' : 'that a router on the way has forgotten';
      it(`${what} ends each connection with ETIMEDOUT within the set time, ${kernel}`, async () => {
        const { network, tellApp, ends } = await (async () => {
          met = await encounter(env);
          return met;
        })();
        network[way]();
        tellApp();
        const named = () => ends().filter(({ name }) => DEAD.includes(name));
        await until('all connections have ended', () => named().length === DEAD.length);
        expect(named().map(({ name }) => name)).to.have.members(DEAD);
        for (const { name, milliseconds, ...error } of named()) {
          expect(error, name).to.include({ code: 'ETIMEDOUT', syscall: 'read', errno: -110 });
          expect(milliseconds, name).to.be.at.most(MOST_MS);
        }
      });
    }

    it(`that reads nothing for five times the set time gets every byte when it reads on, ${kernel}`, async () => {
      met = await encounter(env);
      const { ends, readOn, sent, got } = met;
      await new Promise((resolve) => setTimeout(resolve, SET_SECONDS * 5000));
      readOn();
      await until('all bytes are there', () => got().size === 2);
      expect([...got()].sort()).to.deep.equal([...sent()].sort());
      expect(ends()).to.deep.equal([]);
    });
  }

  it('whose processes are stopped for five times the set time is alive, and nothing ends', async () => {
    met = await encounter(SET);
    const { ends, signalPeers, readOn, sent, got } = met;
    signalPeers('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, SET_SECONDS * 5000));
    signalPeers('SIGCONT');
    readOn();
    await until('all bytes are there', () => got().size === 2);
    expect([...got()].sort()).to.deep.equal([...sent()].sort());
    expect(ends()).to.deep.equal([]);
  });

  it('that is dead is not noticed by stock Node, but for an http.Agent’s', async () => {
    met = await encounter(undefined);
    const { network, tellApp, ends } = met;
    network.forget();
    tellApp();
    await new Promise((resolve) => setTimeout(resolve, MOST_MS));
    expect(ends()).to.deep.equal([]);
  });

  it('that acknowledges a question and does not answer it is given up after ANSWER', async () => {
    met = await encounter({ SOCKET_TUNE_CONNECT_ANSWER: '2s' });
    const { ends } = met;
    const waiting = ['outgoing, waiting', 'http.Agent, waiting', 'fetch, waiting'];
    await until('they have ended', () => ends().length >= waiting.length);
    expect(ends().map(({ name }) => name)).to.have.members(waiting);
    for (const { code, syscall } of ends())
      expect({ code, syscall }).to.deep.equal({ code: 'ETIMEDOUT', syscall: 'read' });
  });
});
