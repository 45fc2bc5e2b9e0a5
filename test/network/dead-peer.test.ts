import { expect } from 'chai';
import { skip } from '../support/test-run/skipped.js';
import { cutOff, type Fate, QUERIES, SET_SECONDS } from './dead-peer.js';
import { networkObstacle } from './network.js';
import { postgresPrograms } from './postgres.js';

/** Why it cannot be seen here; undefined if it can. */
function obstacle(): string | undefined {
  return postgresPrograms() === undefined ? 'PostgreSQL is not installed' : networkObstacle();
}

describe('a query to a database whose machine is gone', () => {
  let fates: readonly Fate[] = [];

  before(async function () {
    const why = obstacle();
    if (why !== undefined) skip(this, why);
    fates = await cutOff(SET_SECONDS * 1.8);
  });

  function endOf(app: Fate['app'], query: Fate['query']): Fate['end'] {
    const fate = fates.find((one) => one.app === app && one.query === query);
    if (fate === undefined) throw new Error(`nothing is known of ${app}, ${query}`);
    return fate.end;
  }

  for (const query of QUERIES) {
    it(`hangs on in stock Node, ${query}`, () => {
      expect(endOf('stock', query)).to.equal(undefined);
    });

    it(`ends with ETIMEDOUT in the set time, ${query}`, () => {
      const end = endOf('tuned', query);
      expect(end).to.include({ code: 'ETIMEDOUT' });
      expect(end?.milliseconds)
        .to.be.at.most(SET_SECONDS * 1500)
        .and.at.least(SET_SECONDS * 500);
    });
  }
});
