import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { startServer } from '../../bench/server.js';
import { until } from '../support/until.js';

/** Says who it is in place of a port. */
const ENDS_BY_SIGNAL = "require('fs').writeSync(1, process.pid + '\\n'); process.kill(process.pid, 'SIGKILL')";

describe('a server of the benchmarks', () => {
  it('can be stopped when a signal has ended it already', async function () {
    if (process.platform !== 'linux') this.skip();
    const { port: pid, stop } = await startServer([process.execPath, '-e', ENDS_BY_SIGNAL]);
    expect(pid).to.be.above(1);
    await until('it has ended', () => !existsSync(`/proc/${pid}`));
    // Else it would wait for an end that has been, and the test with it.
    await stop();
  });
});
