import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { collect } from '../../bench/link/figures.js';
import { HTTP_PORT, type Lane, type Workshop, withLanes } from '../../bench/link/lane.js';
import { type LinkCounts, SERVER_ADDRESS } from '../../bench/link/link.js';
import { link } from '../../bench/link/points.js';
import { onLinks } from '../../bench/link/workshop.js';
import { ROOT } from '../../bench/machine.js';
import { skip } from '../support/test-run/skipped.js';
import { until } from '../support/until.js';

const BYTES = 1_000_000;

interface Transferred {
  readonly bytes: number;
  readonly milliseconds: number;
  readonly firstByte: number;
}

function namespaces(): string {
  return spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout;
}

/** Of all processes. */
function commands(): string {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return processes.map(commandOf).join('\n');
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}

/** What uses the namespaces of this process; see bench/link/namespaces.ts. */
function ours(pid: number | undefined): string {
  return `tune-link${pid}-`;
}

describe('an emulated link', () => {
  /** Have something done on it; skips the test where there is none to be had. */
  async function onLink(context: Mocha.Context, use: (lanes: readonly Lane[]) => Promise<void>): Promise<void> {
    const contenders = ['stock', 'default'];
    const done = await onLinks([], async (workshop: Workshop) => {
      await withLanes(contenders, workshop, use);
      return { tables: [], notes: ['done'] };
    });
    if (done.notes[0] === 'done') return;
    skip(context, done.notes[0] ?? 'there is no such link');
  }

  function get(lane: Lane, bytes: number, fastOpen = 0): Promise<Transferred> {
    return lane.ask('get', SERVER_ADDRESS, HTTP_PORT, `/memory/${bytes}`, 1, fastOpen, 30_000);
  }

  it('is no faster than its round trip and its rate, and has nothing lost', function () {
    return onLink(this, async ([lane]) => {
      if (lane === undefined) throw new Error('no lane');
      await lane.link.set(link(50, 10), 1);
      const { bytes, milliseconds, firstByte } = await get(lane, BYTES);
      expect(bytes).to.equal(BYTES);
      // The handshake, and the request.
      expect(firstByte).to.be.at.least(100);
      expect((bytes * 8) / milliseconds / 1e3).to.be.at.most(10);
      const { carried, lost } = await lane.link.counts();
      expect(carried).to.be.greaterThan(BYTES / 1500);
      expect(lost).to.equal(0);
    });
  });

  it('loses the share of packets that it is to lose, and begins anew when it is set', function () {
    return onLink(this, async ([lane]) => {
      if (lane === undefined) throw new Error('no lane');
      await lane.link.set(link(2, 100, 10), 1);
      await get(lane, BYTES);
      const lossy: LinkCounts = await lane.link.counts();
      expect(lossy.lost / (lossy.lost + lossy.carried)).to.be.within(0.05, 0.2);
      await lane.link.set(link(2, 10), 1);
      expect((await lane.link.counts()).carried).to.equal(0);
      await get(lane, BYTES);
      expect((await lane.link.counts()).lost).to.equal(0);
    });
  });

  it('lets a client that was there before have its answer a round trip earlier, from a tuned server only', function () {
    return onLink(this, async (lanes) => {
      const of = await collect(lanes, link(100, 100), { least: 4, most: 4 }, async (lane) => {
        lane.link.forget();
        const first = (await get(lane, 1000, 1)).firstByte;
        return { first, second: (await get(lane, 1000, 1)).firstByte };
      });
      // The shortest of each: a busy machine only adds to them.
      const [first = [], second = []] = [of('first'), of('second')].map((lists) =>
        lists.map((list) => Math.min(...list)),
      );
      const [stock = Number.NaN, tuned = Number.NaN] = first.map((time, index) => time - (second[index] ?? 0));
      expect(stock).to.be.lessThan(50);
      expect(tuned).to.be.greaterThan(50);
    });
  });

  it('has figures measured twice as often where a preset seems slower, and only there', function () {
    return onLink(this, async (lanes) => {
      const rounds = async (tuned: number, better?: 'lower' | 'higher'): Promise<number[]> => {
        const measure = (lane: Lane) => Promise.resolve({ figure: lane.name === 'stock' ? 10 : tuned });
        const options = better === undefined ? {} : { better: { figure: better } };
        const of = await collect(lanes, link(1, 100), { least: 2, most: 4 }, measure, options);
        return of('figure').map((samples) => samples.length);
      };
      expect(await rounds(10, 'lower'), 'as fast').to.deep.equal([2, 2]);
      expect(await rounds(12, 'lower'), 'slower').to.deep.equal([4, 4]);
      expect(await rounds(12, 'higher'), 'faster').to.deep.equal([2, 2]);
      expect(await rounds(8, 'higher'), 'slower').to.deep.equal([4, 4]);
      expect(await rounds(12), 'not judged').to.deep.equal([2, 2]);
    });
  });

  it('leaves nothing behind when the benchmark is interrupted', async function () {
    if (!(await onLinks([], () => Promise.resolve({ tables: [], notes: [] }))).notes.every((note) => note === '')) {
      this.skip();
    }
    const bench = spawn(process.execPath, [join(ROOT, 'build/bench/main.js'), '--quick', '--only', 'link'], {
      stdio: 'ignore',
    });
    const ended = once(bench, 'exit');
    await until('it has made its namespaces', () => namespaces().split(ours(bench.pid)).length >= 9);
    bench.kill('SIGINT');
    await ended;
    expect(namespaces()).not.to.include(ours(bench.pid));
    expect(commands()).not.to.include(ours(bench.pid));
  });
});
