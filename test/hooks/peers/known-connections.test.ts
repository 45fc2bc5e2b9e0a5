import { expect } from 'chai';
import { PeerConnection } from '../../../src/hooks/peers/connection.js';
import {
  beforeFirst,
  clientConnection,
  noteAttempt,
  noteEnd,
  noteProgress,
  noteWatched,
} from '../../../src/hooks/peers/known-connections.js';
import type { NetSocket, SocketHandle } from '../../../src/node/net.js';
import { type DestinationRecord, destinationOf } from '../../../src/report/destination-record.js';

/** A socket as far as it is asked. */
interface FakeSocket {
  connecting: boolean;
  _handle: SocketHandle | null;
}

let hosts = 0;

describe('a connection that this process opens', () => {
  let destination: DestinationRecord;
  let opened: PeerConnection[];
  const opening = { open: (connection: PeerConnection) => opened.push(connection) };

  beforeEach(() => {
    destination = destinationOf(`host-${hosts++}.example`, 1);
    opened = [];
  });

  function begin(handle: SocketHandle = {}): { fake: FakeSocket; socket: NetSocket; connection: PeerConnection } {
    const fake: FakeSocket = { connecting: true, _handle: handle };
    const socket = fake as unknown as NetSocket;
    return { fake, socket, connection: noteAttempt(socket, handle, destination, opening) };
  }

  it('is open once its socket makes progress and connects no more, and is counted once', () => {
    const { fake, socket, connection } = begin();
    noteProgress(socket);
    expect(opened).to.deep.equal([]);
    expect(connection.isOpen).to.equal(false);
    fake.connecting = false;
    noteProgress(socket);
    noteProgress(socket);
    expect(opened).to.deep.equal([connection]);
    expect(connection.isOpen).to.equal(true);
    expect(destination).to.include({ open: 1, opened: 1, failed: 0 });
    expect(destination.connectTime).to.be.above(0);
  });

  it('ends with its socket, once', () => {
    const { fake, socket, connection } = begin();
    fake.connecting = false;
    noteProgress(socket);
    expect(noteEnd(socket, false)).to.equal(connection);
    expect(noteEnd(socket, false)).to.equal(undefined);
    expect(destination).to.include({ open: 0, opened: 1 });
  });

  it('is forgotten when it has ended, as an app may keep the socket', () => {
    const { fake, socket, connection } = begin();
    fake.connecting = false;
    noteProgress(socket);
    expect(clientConnection(socket, {})).to.equal(connection);
    noteEnd(socket, false);
    expect(clientConnection(socket, {})).not.to.equal(connection);
  });

  it('ends with its socket though that has lost its handle', () => {
    const { fake, socket } = begin();
    fake.connecting = false;
    noteProgress(socket);
    fake._handle = null;
    noteEnd(socket, false);
    expect(destination.open).to.equal(0);
  });

  for (const [what, isOfConnect] of Object.entries({ 'has failed': true, 'the app has given up': false })) {
    it(`is never open if ${what}, and ${isOfConnect ? 'counts as' : 'is no'} failure`, () => {
      const { fake, socket, connection } = begin();
      expect(noteEnd(socket, isOfConnect)).to.equal(undefined);
      fake.connecting = false;
      noteProgress(socket);
      expect(opened).to.deep.equal([]);
      expect(connection.isOpen).to.equal(false);
      expect(destination).to.include({ open: 0, opened: 0, failed: isOfConnect ? 1 : 0 });
    });
  }

  it('that comes after an attempt at another address makes that one a failure', () => {
    const { fake, socket, connection } = begin();
    const next = noteAttempt(socket, {}, destination, opening);
    fake.connecting = false;
    noteProgress(socket);
    expect(opened).to.deep.equal([next]);
    expect(connection.isOpen).to.equal(false);
    expect(destination).to.include({ open: 1, opened: 1, failed: 1 });
  });

  it('of a socket that connects again is another one', () => {
    const { fake, socket } = begin();
    fake.connecting = false;
    noteProgress(socket);
    noteEnd(socket, false);
    fake.connecting = true;
    const second = noteAttempt(socket, {}, destination, opening);
    fake.connecting = false;
    noteProgress(socket);
    expect(opened.at(-1)).to.equal(second);
    expect(destination).to.include({ open: 1, opened: 2, failed: 0 });
  });
});

describe('a connection that is accepted', () => {
  it('ends with its socket, be there TLS upon it or not', () => {
    for (const hasTls of [false, true]) {
      const handle: SocketHandle = {};
      const connection = new PeerConnection(handle);
      noteWatched(connection);
      const socket = { _handle: hasTls ? { _parent: handle } : handle } as unknown as NetSocket;
      expect(noteEnd(socket, false)).to.equal(connection);
      expect(noteEnd(socket, false)).to.equal(undefined);
    }
  });

  it('is none of a socket that we know nothing of', () => {
    for (const handle of [null, {}, { _parent: {} }]) {
      expect(noteEnd({ _handle: handle } as unknown as NetSocket, false)).to.equal(undefined);
    }
  });
});

describe('the first connection', () => {
  const begin: Readonly<Record<string, () => void>> = {
    'that is opened': () => noteAttempt({}, {}, destinationOf('first.example', 1), { open: () => undefined }),
    'that is accepted': () => noteWatched(new PeerConnection({})),
  };

  for (const [which, act] of Object.entries(begin)) {
    it(`${which} is announced, and no other`, () => {
      let calls = 0;
      const forget = beforeFirst(() => calls++);
      act();
      act();
      expect(calls).to.equal(1);
      forget();
      beforeFirst(() => calls++)();
      act();
      expect(calls).to.equal(1);
    });
  }
});
