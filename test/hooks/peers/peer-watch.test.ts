import { expect } from 'chai';
import { PeerConnection } from '../../../src/hooks/peers/connection.js';
import { type PeerLimits, PeerWatch } from '../../../src/hooks/peers/peer-watch.js';
import type { PeerState } from '../../../src/native/sockets/peer-state.js';
import type { SocketHandle } from '../../../src/node/net.js';
import { fakePlatform } from '../../support/fake-platform.js';
import { until } from '../../support/until.js';

/** A dead peer's time in these tests: a look comes every 5 ms. */
const DEAD_PEER_MS = 40;

const QUIET: PeerState = {
  inFlight: 0,
  notSent: 0,
  retransmissions: 0,
  probes: 0,
  silent: 0,
  sent: 0,
  received: 0,
};

/** The app's own TCP_USER_TIMEOUT. */
const RESTING = 7777;

describe('what watches peers', () => {
  let watch: PeerWatch;
  /** What the kernel says of the connection. */
  let state: PeerState;
  let timeout: number;
  let asked: number;
  let unanswered: PeerConnection[];
  let handle: { fd: number; bytesWritten: number; bytesRead: number };
  let connection: PeerConnection;

  function start(limits: Partial<PeerLimits>): void {
    state = { ...QUIET };
    timeout = RESTING;
    asked = 0;
    unanswered = [];
    handle = { fd: 5, bytesWritten: 0, bytesRead: 0 };
    const platform = fakePlatform({
      peerState(_handle: SocketHandle, into: PeerState) {
        asked++;
        Object.assign(into, state);
        return true;
      },
      get(_handle, _constant, value) {
        value[0] = timeout;
        return 0;
      },
      set(_handle, _constant, value) {
        timeout = value[0] ?? Number.NaN;
        return 0;
      },
    });
    watch = new PeerWatch(platform, { deadPeer: undefined, answer: undefined, ...limits }, (one) =>
      unanswered.push(one),
    );
    connection = new PeerConnection(handle);
    watch.add(connection);
  }

  /** A few looks have passed. */
  const looks = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, DEAD_PEER_MS));

  afterEach(() => watch?.close());

  it('asks the kernel about a connection that has written, and not about one that has not', async () => {
    start({ deadPeer: DEAD_PEER_MS });
    await looks();
    expect(asked).to.equal(0);
    handle.bytesWritten = 10;
    await until('it asks', () => asked === 1);
    await looks();
    // Nothing is on its way, and nothing was written since.
    expect(asked).to.equal(1);
    state.inFlight = 1;
    handle.bytesWritten = 20;
    await until('it goes on asking', () => asked > 4);
  });

  it('lets the kernel end a connection that is retransmitted to in vain, and takes that back when the peer answers', async () => {
    start({ deadPeer: DEAD_PEER_MS });
    state = { ...QUIET, inFlight: 2, retransmissions: 3, silent: DEAD_PEER_MS / 2 };
    handle.bytesWritten = 10;
    await until('the peer is suspected', () => timeout === DEAD_PEER_MS);
    state = { ...QUIET, inFlight: 1 };
    await until('the app’s own time is back', () => timeout === RESTING);
  });

  it('suspects no peer that has answered a moment ago', async () => {
    start({ deadPeer: DEAD_PEER_MS });
    state = { ...QUIET, inFlight: 2, retransmissions: 3, silent: 1 };
    handle.bytesWritten = 10;
    await until('it was looked at', () => asked > 2);
    expect(timeout).to.equal(RESTING);
  });

  it('ends a connection at once whose window stays shut while probes have no answer', async () => {
    start({ deadPeer: DEAD_PEER_MS });
    state = { ...QUIET, notSent: 1, probes: 2, silent: 2 * DEAD_PEER_MS };
    handle.bytesWritten = 10;
    await until('it was looked at', () => asked > 2);
    expect(timeout).to.equal(RESTING);
    state = { ...state, probes: 3 };
    await until('the next probe is to end it', () => timeout === 1);
  });

  it('calls for a question that was acknowledged and has no answer', async () => {
    start({ answer: DEAD_PEER_MS });
    state = { ...QUIET, sent: DEAD_PEER_MS - 1, received: 2 * DEAD_PEER_MS };
    handle.bytesWritten = 10;
    await until('it was looked at', () => asked > 2);
    expect(unanswered).to.deep.equal([]);
    state = { ...state, sent: DEAD_PEER_MS };
    await until('it is unanswered', () => unanswered.includes(connection));
    expect(timeout).to.equal(RESTING);
  });

  it('takes what has come since for an answer, and waits while the question is on its way', async () => {
    start({ answer: DEAD_PEER_MS });
    state = { ...QUIET, sent: 2 * DEAD_PEER_MS, received: DEAD_PEER_MS };
    handle.bytesWritten = 10;
    await until('it was looked at', () => asked > 2);
    state = { ...QUIET, inFlight: 1, sent: DEAD_PEER_MS, received: 3 * DEAD_PEER_MS };
    const before = asked;
    await until('it was looked at again', () => asked > before + 2);
    expect(unanswered).to.deep.equal([]);
  });

  it('forgets a connection that was closed without its socket’s knowledge', async () => {
    start({ deadPeer: DEAD_PEER_MS });
    handle.bytesWritten = 10;
    handle.fd = -1;
    await until('it has ended', () => connection.hasEnded);
    expect(asked).to.equal(0);
    expect(connection.list).to.equal(undefined);
  });

  it('gives the app its own time back when it is closed', async () => {
    start({ deadPeer: DEAD_PEER_MS });
    state = { ...QUIET, inFlight: 2, retransmissions: 3, silent: DEAD_PEER_MS };
    handle.bytesWritten = 10;
    await until('the peer is suspected', () => timeout === DEAD_PEER_MS);
    watch.close();
    expect(timeout).to.equal(RESTING);
    const before = asked;
    await looks();
    expect(asked).to.equal(before);
  });
});
