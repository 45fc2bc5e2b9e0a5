import { expect } from 'chai';
import { both, expectSame, inline } from './stock-and-tuned.js';

/** Longer than a timer of 0 takes, so that it is due. */
const BUSY = 'const busy = () => { for (const end = Date.now() + 5; Date.now() < end; ); };';

describe('the phase of the event loop in which fs calls back', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  const calls = {
    'a callback': '(act) => fs.stat(file, act)',
    'a promise': '(act) => fs.promises.stat(file).then(act)',
    'a stream': `(act) => fs.createReadStream(file).on('open', act).resume()`,
  };
  for (const [title, call] of Object.entries(calls)) {
    it(`is the poll phase: what ${title} puts off by setImmediate() comes ahead of a timer that is due`, async () => {
      const found = await both(`
        ${BUSY}
        const call = ${call};
        run(async () => {
          for (let round = 0; round < 20; round++) {
            await new Promise((resolve) => call(() => {
              let left = 2;
              const note = (what) => { log.push(what); if (--left === 0) resolve(); };
              setTimeout(note, 0, 'timer');
              setImmediate(note, 'immediate');
              busy();
            }));
          }
        });
      `);
      expectSame(found);
      expect(inline(found, title === 'a stream' ? 'open' : 'stat')).to.be.greaterThan(0);
    });
  }

  it('has ended a TLS write of a callback ahead of timers and of the next request', async () => {
    const found = await both(`
      ${BUSY}
      const https = require('https');
      const { execFileSync } = require('child_process');
      const key = file + '.key', cert = file + '.cert';
      execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1',
        '-subj', '/CN=localhost', '-keyout', key, '-out', cert], { stdio: 'ignore' });
      run(async () => {
        const server = https.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(cert) }, (request, response) => {
          if (response.socket === null) log.push('a response without a socket');
          fs.stat(file, () => {
            setTimeout(() => log.push('timer'), 0);
            response.end('x', () => log.push('written'));
            busy();
          });
        }).listen(0);
        await once(server, 'listening');
        const agent = new https.Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
        for (let round = 0; round < 20; round++) {
          const [response] = await once(https.get({ port: server.address().port, agent }), 'response');
          await once(response.resume(), 'end');
        }
        agent.destroy();
        server.close();
        await once(server, 'close');
      });
    `);
    expectSame(found);
    expect(inline(found, 'stat')).to.be.greaterThan(0);
  });

  it('runs ticks and promises between two callbacks, each in its own async context', async () => {
    const found = await both(`
      const { AsyncLocalStorage } = require('async_hooks');
      const store = new AsyncLocalStorage();
      run(() => new Promise((resolve) => {
        let left = 10;
        for (let call = 0; call < 10; call++) store.run(call, () => fs.stat(file, () => {
          const seen = [store.getStore()];
          process.nextTick(() => seen.push('tick ' + store.getStore()));
          Promise.resolve().then(() => seen.push('promise ' + store.getStore()));
          setImmediate(() => { log.push(seen); if (--left === 0) { log.sort(); resolve(); } });
          log.seen = seen;
        }));
      }));
    `);
    expectSame(found);
    expect(inline(found, 'stat')).to.be.greaterThan(9);
  });

  it('has the other callbacks too where one throws, and the app goes on', async () => {
    const found = await both(`
      const { AsyncLocalStorage } = require('async_hooks');
      const store = new AsyncLocalStorage();
      process.on('uncaughtException', (error, origin) => log.push([error.message, origin, store.getStore()]));
      run(() => new Promise((resolve) => {
        let left = 10;
        for (let call = 0; call < 10; call++) store.run(call, () => fs.stat(file, () => {
          if (--left === 0) setTimeout(() => { log.sort(); resolve(); }, 10);
          if (call % 3 === 0) throw new Error('thrown by ' + call);
          if (call % 3 === 1) process.nextTick(() => { throw new Error('thrown by a tick of ' + call); });
          log.push('called ' + call);
        }));
      }));
    `);
    expectSame(found);
    expect(inline(found, 'stat')).to.be.greaterThan(9);
  });

  it('leaves the stack of a rejected promise to the app’s own frames', async () => {
    const found = await both(`
      async function inner() { await fs.promises.stat(nothing); }
      async function outer() { await inner(); }
      run(async () => {
        log.push(await outer().catch((error) => error.stack));
        log.push(await new Promise((resolve) => fs.stat(file, resolve)).then(outer).catch((error) => error.stack));
      });
    `);
    expectSame(found);
    expect(found.tuned.stdout).to.include('at async outer').and.not.include('socket-tune');
    expect(inline(found, 'stat')).to.be.greaterThan(1);
  });

  it('asks nothing of a util.promisify that the app has replaced', async () => {
    const found = await both(`
      require('util').promisify = () => () => ({ then: () => log.push('replaced') });
      run(async () => log.push((await fs.promises.stat(file)).size > 0));
    `);
    expectSame(found);
    expect(inline(found, 'stat')).to.be.greaterThan(0);
  });

  it('keeps the process alive for a callback, and no longer', async () => {
    const found = await both(`
      process.on('exit', () => console.log('exit ' + log));
      warm().then(() => {
        log.push(process._getActiveHandles().length);
        fs.stat(file, () => fs.stat(file, () => log.push('called')));
      });
    `);
    expectSame(found);
    expect(found.tuned.stdout).to.match(/called\n$/);
  });
});
