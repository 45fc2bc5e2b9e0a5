import { join } from 'node:path';
import { expect } from 'chai';
import { expectSameRun } from '../harness/compare.js';
import type { RecordedEvent } from '../harness/recorder.js';
import { type Run, run, STOCK, tuned } from '../harness/run.js';
import { scenarios } from './scenarios.js';

const MODULE = join(import.meta.dirname, 'scenarios.js');

/** Sizes of buffers are not what is compared here. */
const ON = tuned({ SOCKET_TUNE_PRESET: 'none', SOCKET_TUNE_UDP_GSO: 'on' });

/** All that the app does has an order. When datagrams arrive is a matter of the kernel. */
const IN_ORDER = { groupOf: ({ who }: RecordedEvent) => (who === 'app' || who === 'socket' ? 'app' : undefined) };

describe('what an app sees of datagrams that leave together is what stock Node shows, in', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  for (const title of Object.keys(scenarios)) {
    it(title, async () => {
      const [stock, batched] = await Promise.all([run(MODULE, [title], STOCK), run(MODULE, [title], ON)]);
      expect(stock.process).to.include({ code: 0, signal: null, stderr: '' });
      expect(eventsOf(stock)).not.to.equal(0);
      expectSameRun('batches', batched, stock, IN_ORDER);
      if (/burst|neighbours|sizes|context|no callbacks/.test(title)) {
        expect(batched.process.report?.batches?.datagrams ?? 0).to.be.above(3);
      }
    });
  }
});

function eventsOf({ recordings }: Run): number {
  return [...recordings.values()].flat().flatMap(({ events }) => events).length;
}
