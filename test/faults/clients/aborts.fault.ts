import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { expect } from 'chai';
import { content } from '../../support/files/content.js';
import { useScratch } from '../../support/files/scratch.js';
import { effort } from '../effort.js';
import { type Mode, type Served, type State, withServed } from '../served.js';
import { get, pause, repeat } from '../talk.js';
import { tallyFigures } from '../tally.js';

const FILE = content(8 << 20);

/** Several addresses, as the ports of one would run out. */
const ADDRESSES = 200;

/** Asks for the file, takes the first bytes or none, and leaves: by a reset, or by a normal close. */
function abort(port: number, index: number): Promise<void> {
  const localAddress = `127.0.${1 + (index % ADDRESSES)}.1`;
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.write(get(`/${index % 3 === 0 ? 'chunked' : 'length'}/file?pipeline`, false));
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      if (index % 2 === 0) socket.resetAndDestroy();
      else socket.destroy();
    };
    if (index % 5 === 0) setTimeout(leave, Math.random() * 3);
    else socket.once('data', leave);
    socket.on('error', reject);
    socket.once('close', () => resolve());
  });
}

/** Sockets of this port that are not closing: state 01 is ESTABLISHED, 08 CLOSE_WAIT (net/tcp_states.h). */
function socketsAlive(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const lines = readFileSync('/proc/net/tcp', 'latin1').split('\n');
  return lines.filter((line) => new RegExp(`^ *\\d+: [0-9A-F]{8}:${hex} [0-9A-F:]+ (?:01|08) `).test(line)).length;
}

interface Left {
  readonly fds: number;
  readonly sockets: number;
}

describe('clients that go away', () => {
  const scratch = useScratch();

  before(() => {
    scratch.file('file', FILE);
  });

  async function abortAll(mode: Mode, times: number): Promise<Left & { readonly heap: number }> {
    const { result, ended } = await withServed(mode, scratch.path('.'), async (served: Served) => {
      await repeat(50, 10, (index) => abort(served.http, index));
      await pause(1000);
      const before: State = await served.state();
      await repeat(times, 20, (index) => abort(served.http, index));
      await pause(1000);
      const sockets = socketsAlive(served.http);
      const after = await served.state();
      return { fds: after.fds - before.fds, sockets, heap: after.heapUsed - before.heapUsed };
    });
    expect(ended).to.include({ code: 0, stderr: '' });
    if (mode === 'tuned') expect(ended.report?.files.reroutedStreams).to.be.above(times / 4);
    return result;
  }

  it('in mid-transfer, half of them by a reset, leave no descriptor and no socket', async () => {
    const times = effort(100_000, 2000);
    const tuned = await abortAll('tuned', times);
    const stock = await abortAll('stock', effort(10_000, 500));
    const describeLeft = ({ fds, sockets }: Left): string => `${fds} fds, ${sockets} sockets`;
    const heap = `heap ${(tuned.heap / 1024).toFixed(0)} KB more`;
    tallyFigures('client aborts', times, `${describeLeft(tuned)} left 1 s after; ${heap}`, describeLeft(stock));
    expect(tuned).to.include({ fds: 0, sockets: 0 });
  });
});
