import { expect } from 'chai';
import { content } from '../../support/files/content.js';
import { useScratch } from '../../support/files/scratch.js';
import { slowReader } from '../clients/slow-reader.js';
import { effort } from '../effort.js';
import { type Mode, type Served, withServed } from '../served.js';
import { get, pause, talk } from '../talk.js';
import { tallyFigures } from '../tally.js';
import { exactly, judgeResponses } from '../verdict.js';

const FILE = content(12 << 20);
const LIMIT = 64;
const READERS = 100;

describe('a server without descriptors left (EMFILE)', () => {
  const scratch = useScratch();

  /** More clients than the server has descriptors for. Each reads a little, and goes away. */
  async function besiege({ http }: Served): Promise<number> {
    const readers = await Promise.all(
      Array.from({ length: READERS }, () => slowReader(http, '/length/file?pipeline').catch(() => undefined)),
    );
    for (let round = 0; round < 5; round++) {
      for (const reader of readers) reader?.read(1);
      await pause(20);
    }
    const served = readers.filter((reader) => (reader?.received() ?? 0) > 1000).length;
    for (const reader of readers) {
      if (Math.random() < 0.5) reader?.socket.destroy();
      else reader?.socket.resetAndDestroy();
    }
    return served;
  }

  async function survive(mode: Mode, sieges: number) {
    const under = ['sh', '-c', `ulimit -n ${LIMIT}; exec "$0" "$@"`];
    const served: number[] = [];
    const { result, ended } = await withServed(
      mode,
      scratch.path('.'),
      async (server) => {
        const before = (await server.state()).fds;
        for (let siege = 0; siege < sieges; siege++) {
          served.push(await besiege(server));
          await pause(200);
        }
        await pause(500);
        const answer = await talk(server.http, get('/length/file', false) + get('/second'));
        const left = (await server.state()).fds - before;
        return { verdict: judgeResponses(answer, exactly(FILE)), left };
      },
      { under },
    );
    expect(ended).to.include({ code: 0, stderr: '' });
    return { ...result, served: Math.max(...served), files: ended.report?.files };
  }

  it('lives, and serves again when there are some', async () => {
    scratch.file('file', FILE);
    const sieges = effort(50, 3);
    const stock = await survive('stock', sieges);
    const tuned = await survive('tuned', sieges);
    const note = `alive, then ${tuned.verdict}, ${tuned.left} fds left; at most ${tuned.served} of ${READERS} served at once`;
    tallyFigures(`ulimit -n ${LIMIT}, ${READERS} slow readers`, sieges, note, `at most ${stock.served}`);
    expect(tuned).to.include({ verdict: 'identical', left: 0 });
    // The limit was reached: some clients got no descriptor.
    expect(tuned.served).to.be.within(1, READERS - 1);
    expect(tuned.files?.sendfileBytes).to.be.above(0);
  });
});
