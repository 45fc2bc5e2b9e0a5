import { expect } from 'chai';
import { startServer } from '../../bench/server.js';

const ENDS_BY_SIGNAL = "console.log(1234); setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50)";

describe('a server of the benchmarks', () => {
  it('can be stopped when a signal has ended it already', async function () {
    if (process.platform !== 'linux') this.skip();
    const server = await startServer([process.execPath, '-e', ENDS_BY_SIGNAL]);
    expect(server.port).to.equal(1234);
    await new Promise((resolve) => setTimeout(resolve, 500));
    // Else it would wait for an end that has been, and the test with it.
    await server.stop();
  });
});
