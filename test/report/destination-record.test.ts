import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { destinationOf, destinationRecords } from '../../src/report/destination-record.js';

const RECORDS = new URL('../../src/report/destination-record.js', import.meta.url).href;

const CRAWLER = `
const { parentPort, workerData } = require('node:worker_threads');
import(workerData).then(({ destinationOf, destinationRecords }) => {
  for (let index = 0; index < 1005; index++) destinationOf('crawled-' + index + '.example', 80).opened++;
  const records = destinationRecords();
  parentPort.postMessage({
    first: destinationOf('crawled-0.example', 80).destination,
    last: records.at(-1).destination,
    records: records.length,
    opened: records.at(-1).opened,
  });
});`;

describe('the record of a destination', () => {
  it('is one for a host and a port, and another for another of them', () => {
    const record = destinationOf('one.example', 443);
    expect(destinationOf('one.example', 443)).to.equal(record);
    const others = [destinationOf('one.example', 80), destinationOf('two.example', 443)];
    expect(new Set([record, ...others])).to.have.property('size', 3);
    expect(others.map(({ destination }) => destination)).to.deep.equal(['one.example:80', 'two.example:443']);
  });

  it('begins with nothing, and has the name that is shown', () => {
    expect(destinationOf('new.example', 1)).to.deep.equal({
      destination: 'new.example:1',
      open: 0,
      opened: 0,
      failed: 0,
      connectTime: 0,
      dead: 0,
      stale: 0,
    });
    expect(destinationOf('::1', 80).destination).to.equal('[::1]:80');
  });

  it('takes no name of an object’s own properties for a known host', () => {
    for (const host of ['__proto__', 'constructor', ''])
      expect(destinationOf(host, 1).destination).to.equal(`${host}:1`);
  });

  it('comes in the order of the first connections', () => {
    const made = ['z.example', 'a.example', 'm.example'].map((host) => destinationOf(host, 9));
    destinationOf('z.example', 9);
    expect(destinationRecords().filter((record) => made.includes(record))).to.deep.equal(made);
  });

  it('is shared by all that come after the first thousand, and none is lost', async () => {
    // In a thread of its own: the records of this one are for all tests.
    const worker = new Worker(CRAWLER, { eval: true, workerData: RECORDS });
    const [seen] = await once(worker, 'message');
    expect(seen).to.deep.equal({ first: 'crawled-0.example:80', last: 'others', records: 1001, opened: 5 });
  });
});
