import { stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';
import { makeOutput } from '../../../src/cli/output.js';
import { fitTable, shortened, sorted } from '../../../src/cli/top/fitted-table.js';
import { keysIn, pressed } from '../../../src/cli/top/keys.js';
import { formatSnapshot } from '../../../src/cli/top/overview.js';
import { type Choice, drawScreen, FIRST_CHOICE, type Screen } from '../../../src/cli/top/screen.js';
import { TOP_CONNECTION_COLUMNS, VIEWS } from '../../../src/cli/top/views.js';
import { DESTINATION_COLUMNS } from '../../../src/report/destination-columns.js';
import { makeReport } from '../../../src/report/report.js';
import type { ConnectionSnapshot, Snapshot } from '../../../src/report/snapshot.js';

const output = makeOutput(process.stdout, '1');

const PEERS = ['10.0.0.1:50000', '[2001:db8:1234:5678:9abc:def0:1234:5678]:50001', '[::ffff:192.168.100.200]:50002'];

function connection(index: number): ConnectionSnapshot {
  return {
    listener: '[::]:8080',
    peer: PEERS[index % PEERS.length] ?? '',
    age: 1000 * index,
    bytesRead: 0,
    bytesWritten: 1_000_000 * index,
    bytesBySendfile: 0,
    tcp: {
      state: 'ESTAB',
      roundTripTime: 1000 + index,
      roundTripVariation: 1,
      minRoundTripTime: 1,
      congestionWindow: 10,
      unacknowledged: 0,
      segmentSize: 1448,
      retransmits: index % 7,
      notSentBytes: 0,
      deliveryRate: 125_000_000,
      bytesSent: 1,
      bytesAcknowledged: 1,
      bytesReceived: 1,
      bytesRetransmitted: 0,
    },
  };
}

const LONG_HOST = 'primary-01.database.eu-central-1.internal.a-company-with-a-long-name.example:5432';

function snapshot(connections: number, app = 'shop (server.js)'): Snapshot {
  const shown = Array.from({ length: connections }, (_, index) => connection(index));
  const counts = { open: 3, opened: 10, failed: 0, connectTime: 50, dead: 0, stale: 0 };
  const acceptQueue = { length: 1, limit: 511, highest: 600, drops: 12, raise: 'SOCKET_TUNE_BACKLOG' };
  return {
    pid: 4711,
    title: 'node',
    app,
    version: '1.2.3',
    node: '24.1.0',
    began: 0,
    at: 100_000,
    report: {
      ...makeReport(),
      listeners: Array.from({ length: 30 }, (_, index) => ({
        address: `[2001:db8::${index}]:8080`,
        outcomes: [{ option: 'mark', constant: 'SO_MARK', asked: 1, verdict: 'refused', cause: 'EPERM' } as const],
        accepted: [],
        connections: index,
        acceptQueue,
      })),
      destinations: [
        { destination: LONG_HOST, ...counts },
        { destination: '[::1]:6379', ...counts, open: 9 },
      ],
    },
    connections: { open: connections, shown },
  };
}

const SIZES = [
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
  { columns: 40, rows: 10 },
  { columns: 20, rows: 5 },
  { columns: 300, rows: 100 },
];

function draw(shot: Snapshot, choice: Choice, size: (typeof SIZES)[0], trouble?: string): Screen {
  return drawScreen(output, shot, choice, size, trouble);
}

describe('the screen of socket-tune top', () => {
  for (const size of SIZES) {
    it(`fits ${size.columns} × ${size.rows}, with any number of connections, in every view`, () => {
      for (const amount of [0, 1, 300]) {
        for (const view of VIEWS) {
          const { lines } = draw(snapshot(amount), { ...FIRST_CHOICE, view }, size);
          expect(lines.length).to.be.at.most(size.rows);
          for (const line of lines) expect(Array.from(line).length, line).to.be.at.most(size.columns);
        }
      }
    });
  }

  it('is printed once no wider than the terminal, with every word, and each part on one line elsewhere', () => {
    const counter = { since: 1_234_567, total: 7_654_321 };
    const found = snapshot(30);
    const shot = { ...found, report: { ...found.report, dropped: { overflows: counter, drops: counter } } };
    const words = (text: string): string[] => stripVTControlCharacters(text).split(/\s+/);
    const [whole = ''] = formatSnapshot(output, shot, Number.POSITIVE_INFINITY).split('\n\nfiles: ');
    for (const width of [80, 120]) {
      const text = formatSnapshot(output, shot, width);
      for (const line of stripVTControlCharacters(text).split('\n'))
        expect(Array.from(line).length, line).to.be.at.most(width);
      expect(words(text.split('\n\nfiles: ')[0] ?? '')).to.deep.equal(words(whole));
    }
    expect(whole.split('\n')).to.have.length(2 + 30 + 1);
  });

  it('names the app and its process, and says so where there is no answer', () => {
    const [size = { columns: 80, rows: 24 }] = SIZES;
    expect(draw(snapshot(1), FIRST_CHOICE, size).lines[0]).to.equal(
      'shop (server.js), process 4711, Node 24.1.0, up 1 min 40 s',
    );
    expect(draw(snapshot(1), FIRST_CHOICE, size, 'no answer').lines[0]).to.equal('no answer');
  });

  it('prints no control characters of others', () => {
    const size = { columns: 80, rows: 24 };
    const { lines } = draw(snapshot(1, 'evil\u001b[2J\u0007 app'), FIRST_CHOICE, size);
    expect(lines.join('')).not.to.match(/\p{Cc}/u);
    expect(lines[0]).to.include('evil?[2J? app');
  });

  it('drops the least important columns of a narrow terminal, and keeps the whole of a wide one', () => {
    const heads = (width: number): string => VIEWS[0].table(snapshot(3), VIEWS[0].order, width).heads.join(' ');
    for (const word of ['congestion', 'listener', 'other', 'sendfile']) {
      expect(heads(160), word).to.include(word);
      expect(heads(60), word).not.to.include(word);
    }
    for (const word of ['peer', 'trip', 'retransmits']) expect(heads(60), word).to.include(word);
  });

  it('shortens names in their middle: a port is still seen', () => {
    expect(shortened('database.internal:5432', 15)).to.equal('databas…al:5432');
    expect(shortened('short', 15)).to.equal('short');
    const { lines } = draw(snapshot(0), { ...FIRST_CHOICE, view: VIEWS[1]! }, { columns: 80, rows: 24 });
    expect(lines.join('\n')).to.match(/^primary-0\S*…\S*:5432 /m);
  });
});

describe('the table of socket-tune top', () => {
  it('sorts by any column, with rows that have no figure last', () => {
    const rows = snapshot(0).report.destinations.map((one, index) =>
      index === 0 ? one : { ...one, roundTripTime: 5 },
    );
    const third = { ...rows[1]!, destination: 'third:1', roundTripTime: 900 };
    const names = (by: string, isAscending: boolean): readonly string[] =>
      sorted([...rows, third], DESTINATION_COLUMNS, { by, isAscending }).map(({ destination }) => destination);
    expect(names('round trip', false)).to.deep.equal(['third:1', '[::1]:6379', LONG_HOST]);
    expect(names('round trip', true)).to.deep.equal(['[::1]:6379', 'third:1', LONG_HOST]);
    expect(names('destination', true)).to.deep.equal(['[::1]:6379', LONG_HOST, 'third:1']);
  });

  it('is as wide as it must be at most, for each width', () => {
    const rows = Array.from({ length: 9 }, (_, index) => connection(index));
    const names = new Set(['peer', 'listener']);
    for (let width = 5; width < 200; width++) {
      const order = { by: 'age', isAscending: true };
      const { heads, rows: lines } = fitTable(rows, TOP_CONNECTION_COLUMNS, order, { names, width });
      expect(lines).to.have.length(9);
      for (const line of [...heads, ...lines]) expect(Array.from(line).length).to.be.at.most(width);
    }
  });
});

describe('the keys of socket-tune top', () => {
  const size = { columns: 80, rows: 24 };

  function typing(keys: string, shot = snapshot(300)): { choice: Choice; screen: Screen } {
    let choice = FIRST_CHOICE;
    let screen = draw(shot, choice, size);
    for (const key of keysIn(keys)) {
      choice = pressed(choice, key, screen);
      screen = draw(shot, choice, size);
    }
    return { choice, screen };
  }

  it('are found in what a terminal sends, several at a time', () => {
    expect(keysIn('\u001b[A\u001b[6~\u001bOBqä')).to.deep.equal(['\u001b[A', '\u001b[6~', '\u001bOB', 'q', 'ä']);
  });

  it('scroll by a line, by a page, and to the ends, and no further', () => {
    const { page } = typing('').screen;
    expect(page).to.be.within(10, 20);
    expect(typing('\u001b[B\u001b[Bk').screen.scrolled).to.equal(1);
    expect(typing('\u001b[A').screen.scrolled).to.equal(0);
    expect(typing(' ').screen.scrolled).to.equal(page);
    expect(typing('G').screen.scrolled).to.equal(300 - page);
    expect(typing('Gj').screen.scrolled).to.equal(300 - page);
    expect(typing('Gk').screen.scrolled).to.equal(299 - page);
    expect(typing('Gg').screen.scrolled).to.equal(0);
    expect(typing('G').screen.lines.at(-1)).to.include(`${301 - page}–300 of 300`);
  });

  it('choose the column that rows are sorted by, and turn the order round', () => {
    const first = (keys: string): string | undefined =>
      typing(keys).screen.lines.find((line) => /^(?:10\.0|\[2001:db8:1|\[::f)/.test(line));
    expect(typing('').choice.orders.size).to.equal(0);
    expect(first('')).to.match(/ 1\.3 ms /);
    expect(first('r')).to.match(/ 1\.0 ms /);
    expect(typing('>').screen.lines.join('\n')).to.include('retransmits▼');
    expect(typing('><<').screen.lines.join('\n')).to.include('age▼');
    expect(typing('<<<').screen.lines.join('\n')).to.include('peer▼');
    expect(typing('<<<<').choice.orders.get(VIEWS[0])?.by).to.equal('other bytes');
  });

  it('go from view to view, each with its own order', () => {
    const name = (keys: string): string => typing(keys).choice.view.name;
    expect(['', '\t', '\t\t', '\t\t\t\t', '\u001b[Z', '3'].map(name)).to.deep.equal([
      'connections',
      'destinations',
      'listeners',
      'connections',
      'files',
      'listeners',
    ]);
    expect(typing('r2r1').choice.orders.get(VIEWS[0])?.isAscending).to.equal(true);
  });
});
