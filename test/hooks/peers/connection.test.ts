import { expect } from 'chai';
import { ConnectionList, endConnection, PeerConnection } from '../../../src/hooks/peers/connection.js';
import { destinationOf } from '../../../src/report/destination-record.js';

function connections(count: number): PeerConnection[] {
  return Array.from({ length: count }, () => new PeerConnection({}));
}

function membersOf(list: ConnectionList): PeerConnection[] {
  const members: PeerConnection[] = [];
  list.each((connection) => members.push(connection));
  return members;
}

describe('a list of connections', () => {
  for (const [which, index] of Object.entries({ first: 2, middle: 1, last: 0 })) {
    it(`loses its ${which} member, and keeps the others`, () => {
      const list = new ConnectionList();
      const all = connections(3);
      for (const connection of all) list.add(connection);
      expect(membersOf(list)).to.have.members(all);
      const [removed] = all.splice(index, 1);
      list.remove(removed as PeerConnection);
      expect(membersOf(list)).to.have.members(all).and.to.have.length(2);
      expect(removed).to.include({ list: undefined, previous: undefined, next: undefined });
    });
  }

  it('has its neighbours know each other once the one between them is gone', () => {
    const list = new ConnectionList();
    const [one, two, three] = connections(3) as [PeerConnection, PeerConnection, PeerConnection];
    for (const connection of [one, two, three]) list.add(connection);
    list.remove(two);
    list.remove(one);
    expect(membersOf(list)).to.deep.equal([three]);
  });

  it('is empty before the first, and after the last', () => {
    const list = new ConnectionList();
    const [connection] = connections(1) as [PeerConnection];
    expect(list.isEmpty).to.equal(true);
    list.add(connection);
    expect(list.isEmpty).to.equal(false);
    list.remove(connection);
    expect(list.isEmpty).to.equal(true);
  });

  it('takes a connection from the list that has it', () => {
    const [one, other] = [new ConnectionList(), new ConnectionList()];
    const [moved, stays] = connections(2) as [PeerConnection, PeerConnection];
    one.add(moved);
    one.add(stays);
    other.add(moved);
    expect(membersOf(one)).to.deep.equal([stays]);
    expect(membersOf(other)).to.deep.equal([moved]);
  });

  it('goes on when the member that it is at is removed, or goes to another list', () => {
    const [list, other] = [new ConnectionList(), new ConnectionList()];
    const all = connections(4);
    for (const connection of all) list.add(connection);
    const seen: PeerConnection[] = [];
    list.each((connection) => {
      seen.push(connection);
      if (seen.length % 2 === 0) list.remove(connection);
      else other.add(connection);
    });
    expect(seen).to.have.members(all);
    expect(list.isEmpty).to.equal(true);
    expect(membersOf(other)).to.have.length(2);
  });
});

describe('the end of a connection', () => {
  it('is counted once, takes it from its list, and lets its socket go', () => {
    const destination = destinationOf('end.example', 1);
    destination.open = 2;
    const list = new ConnectionList();
    const connection = new PeerConnection({}, {}, destination);
    list.add(connection);
    expect(connection.isOpen).to.equal(true);
    endConnection(connection);
    endConnection(connection);
    expect(destination.open).to.equal(1);
    expect(list.isEmpty).to.equal(true);
    expect(connection).to.include({ owner: undefined, isOpen: false });
  });
});
