import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { configFromEnvironment } from '../../src/config/config.js';
import { BEHIND, FRONTS, frontIdleTime, keepAliveTimeBehind } from '../../src/config/front.js';
import { validateConfig } from '../../src/config/validate.js';

const DOCS = new URL('../../../docs/requests.md', import.meta.url);

function read(text: string) {
  const { config, keepAliveTime, problems } = configFromEnvironment(new Map([['SOCKET_TUNE_BEHIND', text]]));
  return { behind: config.behind, keepAliveTime, problems: problems.map(({ expected }) => expected) };
}

describe('what stands in front', () => {
  it('is a name or a time with its unit', () => {
    expect(read('alb')).to.deep.equal({ behind: 'alb', keepAliveTime: 65_000, problems: [] });
    expect(read(' NGINX ')).to.deep.equal({ behind: 'nginx', keepAliveTime: 65_000, problems: [] });
    expect(read('75s')).to.deep.equal({ behind: 75_000, keepAliveTime: 82_000, problems: [] });
    expect(read('1.5s')).to.deep.equal({ behind: 1500, keepAliveTime: 7000, problems: [] });
    expect(read('10min')).to.deep.equal({ behind: 600_000, keepAliveTime: 650_000, problems: [] });
    expect(read('off')).to.deep.equal({ behind: 'off', keepAliveTime: undefined, problems: [] });
  });

  it('is nothing where it is not understood: a number alone could be seconds or milliseconds', () => {
    for (const text of ['60', '0s', '2000h', 'apache', '-5s', 'toString']) {
      const { behind, keepAliveTime, problems } = read(text);
      expect({ behind, keepAliveTime }, text).to.deep.equal({ behind: 'off', keepAliveTime: undefined });
      expect(problems[0], text).to.include('alb, nlb, gcp').and.include('75s');
    }
  });

  it('is a name or milliseconds in code', () => {
    for (const behind of ['off', 'haproxy', 1, 86_400_000]) {
      expect(validateConfig({ behind })).to.deep.equal({ behind });
    }
    for (const behind of ['75s', 'ALB', 0, 1.5, 86_400_001, true, null]) {
      expect(() => validateConfig({ behind }), String(behind)).to.throw(/config\.behind must be 'alb', .*milliseconds/);
    }
  });

  it('is outwaited by 5 seconds or more, and by whole seconds', () => {
    for (const name of Object.keys(FRONTS)) {
      const idle = frontIdleTime(name as keyof typeof FRONTS) ?? Number.NaN;
      const kept = keepAliveTimeBehind(idle);
      expect(kept - idle, name).to.be.at.least(Math.max(5000, idle / 12));
      expect(kept % 1000, name).to.equal(0);
      expect(BEHIND.accepts(name, {}), name).to.equal(true);
    }
    // What Google asks for.
    expect(keepAliveTimeBehind(FRONTS.gcp.idle)).to.be.at.least(620_000);
    expect(keepAliveTimeBehind(1)).to.equal(6000);
  });

  it('has its time and its vendor’s document in docs/requests.md', () => {
    const text = readFileSync(DOCS, 'utf8');
    for (const [name, { title, idle, source }] of Object.entries(FRONTS)) {
      const row = `| \`${name}\` | [${title}](${source}) | ${idle / 1000} s | ${keepAliveTimeBehind(idle) / 1000} s |`;
      expect(text, name).to.include(row);
    }
  });
});
