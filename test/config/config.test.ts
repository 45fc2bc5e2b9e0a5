import { expect } from 'chai';
import {
  configFromEnvironment,
  defaultConfig,
  describeProblem,
  type EnvironmentConfig,
  highThroughputConfig,
  lowLatencyConfig,
} from '../../src/config/config.js';
import { presetValues } from '../../src/config/presets.js';
import type { ConfigProblem } from '../../src/config/reader.js';
import { SETTINGS } from '../../src/config/settings.js';
import { validateConfig } from '../../src/config/validate.js';
import { SocketTuneError } from '../../src/errors.js';
import { impliedByDeadPeer } from '../../src/options/dead-peer.js';
import { OPTION_ROWS } from '../../src/options/table.js';

function read(environment: Readonly<Record<string, string>>): EnvironmentConfig {
  return configFromEnvironment(new Map(Object.entries(environment)));
}

const SETTINGS_UNSET = {
  bufferMode: 'floor',
  sendfile: true,
  sendfileMin: SETTINGS.sendfileMin.default,
  sendfileWindow: SETTINGS.sendfileWindow.default,
  drain: 'off',
  drainDelay: 0,
  inspect: 'off',
  otel: 'auto',
  cork: 'auto',
  fs: 'auto',
  udpGso: false,
  splice: 'off',
  behind: 'off',
  report: 'off',
} as const;

describe('the config of an environment', () => {
  it('is the default preset where nothing is set', () => {
    const { sources: _, ...rest } = read({});
    expect(rest).to.deep.equal({
      enabled: true,
      strict: false,
      config: { ...presetValues('default'), ...SETTINGS_UNSET },
      keepAliveTime: undefined,
      asked: new Set(),
      problems: [],
    });
  });

  it('has the values of the preset that is named', () => {
    for (const [text, preset] of [
      ['LOW-latency', 'lowlatency'],
      ['high_throughput', 'highthroughput'],
      ['none', 'none'],
    ] as const) {
      const { config, problems } = read({ SOCKET_TUNE_PRESET: text });
      expect(config, text).to.deep.equal({ ...presetValues(preset), ...SETTINGS_UNSET });
      expect(problems).to.deep.equal([]);
    }
  });

  it('reports an option that has no effect without another one', () => {
    const vain = read({ SOCKET_TUNE_PRESET: 'none', SOCKET_TUNE_KEEPALIVE_IDLE: '33' });
    const problem = {
      variable: 'SOCKET_TUNE_KEEPALIVE_IDLE',
      value: '33',
      expected: 'SOCKET_TUNE_KEEPALIVE=on beside it',
      used: 'nothing',
    };
    expect(vain.problems).to.deep.equal([problem]);
    const off = { SOCKET_TUNE_KEEPALIVE: 'off', SOCKET_TUNE_KEEPALIVE_COUNT: '3' };
    expect(read(off).problems.map(({ variable }) => variable)).to.deep.equal(['SOCKET_TUNE_KEEPALIVE_COUNT']);
    expect(read({ ...off, SOCKET_TUNE_KEEPALIVE: 'on' }).problems).to.deep.equal([]);
    expect(read({ SOCKET_TUNE_KEEPALIVE: 'off' }).problems).to.deep.equal([]);
  });

  it('has a drain by its time, and reports a delay without one', () => {
    const { config, problems } = read({ SOCKET_TUNE_DRAIN: '30s', SOCKET_TUNE_DRAIN_DELAY: '5s' });
    expect(problems).to.deep.equal([]);
    expect(config).to.include({ drain: 30_000, drainDelay: 5000 });
    for (const drain of [{}, { SOCKET_TUNE_DRAIN: 'off' }]) {
      expect(read({ ...drain, SOCKET_TUNE_DRAIN_DELAY: '5s' }).problems).to.deep.equal([
        { variable: 'SOCKET_TUNE_DRAIN_DELAY', value: '5s', expected: 'SOCKET_TUNE_DRAIN beside it', used: 'nothing' },
      ]);
    }
    const [problem] = read({ SOCKET_TUNE_DRAIN: 'soon' }).problems;
    expect(problem).to.deep.equal({
      variable: 'SOCKET_TUNE_DRAIN',
      value: 'soon',
      expected: 'a time of whole milliseconds from 1 to 3600000, such as 1ms or 30s, or off',
      used: 'off',
    });
  });

  it('demands the unit of a drain: nobody means milliseconds by 20', () => {
    const { config, problems } = read({ SOCKET_TUNE_DRAIN: '20', SOCKET_TUNE_DRAIN_DELAY: '5' });
    expect(config).to.include({ drain: 'off', drainDelay: 0 });
    expect(problems).to.deep.include({
      variable: 'SOCKET_TUNE_DRAIN',
      value: '20',
      expected: 'a time with its unit, such as 20s, or off',
      used: 'off',
    });
    expect(problems.map(({ variable }) => variable)).to.include('SOCKET_TUNE_DRAIN_DELAY');
    const none = read({ SOCKET_TUNE_DRAIN: '20s', SOCKET_TUNE_DRAIN_DELAY: '0' });
    expect(none.problems).to.deep.equal([]);
    expect(none.config).to.include({ drain: 20_000, drainDelay: 0 });
  });

  it('prefers the variable of an option to the preset, and counts the option as asked for', () => {
    expect(read({}).config.keepAliveIdle).to.equal(60);
    const { config, asked } = read({ SOCKET_TUNE_KEEPALIVE_IDLE: '2min', SOCKET_TUNE_QUICKACK: 'once' });
    expect(config).to.deep.equal({
      ...presetValues('default'),
      ...SETTINGS_UNSET,
      keepAliveIdle: 120,
      quickAck: 'once',
    });
    expect([...asked].sort()).to.deep.equal(['keepAliveIdle', 'quickAck']);
  });

  it('takes every option of the table by its variable', () => {
    for (const row of OPTION_ROWS) {
      const text = row.sample === true ? 'on' : String(row.sample);
      const { config, asked, problems } = read({
        SOCKET_TUNE_PRESET: 'none',
        [`SOCKET_TUNE_${row.variable}`]: text,
      });
      // Has no effect without another option.
      expect(problems.length, row.variable).to.equal(row.requires === undefined ? 0 : 1);
      const implied = row.key === 'deadPeer' ? impliedByDeadPeer(Number(row.sample)) : {};
      expect(config, row.variable).to.deep.equal({ ...SETTINGS_UNSET, ...implied, [row.key]: row.sample });
      expect([...asked], row.variable).to.deep.equal([row.key]);
    }
  });

  it('adds options to the preset none', () => {
    const { config } = read({ SOCKET_TUNE_PRESET: 'none', SOCKET_TUNE_NODELAY: 'on', SOCKET_TUNE_SNDBUF: '1m' });
    expect(config).to.deep.equal({ ...SETTINGS_UNSET, noDelay: true, sendBuffer: 1 << 20 });
  });

  it('leaves out a number that is switched off, and has false for a flag that is', () => {
    const before = read({ SOCKET_TUNE_PRESET: 'lowlatency' }).config;
    expect(before).to.include.keys('notSentLowWater', 'receiveBuffer', 'sendBuffer', 'noDelay');
    const { config, asked, problems } = read({
      SOCKET_TUNE_PRESET: 'lowlatency',
      SOCKET_TUNE_NOTSENT_LOWAT: 'off',
      SOCKET_TUNE_RCVBUF: 'auto',
      SOCKET_TUNE_SNDBUF: 'OFF',
      SOCKET_TUNE_NODELAY: 'off',
      SOCKET_TUNE_QUICKACK: 'off',
    });
    expect(problems).to.deep.equal([]);
    expect(config).not.to.have.any.keys('notSentLowWater', 'receiveBuffer', 'sendBuffer');
    expect(config.noDelay).to.equal(false);
    expect(config.quickAck).to.equal('off');
    expect([...asked]).to.have.members(['notSentLowWater', 'receiveBuffer', 'sendBuffer', 'noDelay', 'quickAck']);
  });

  it('has the settings that are not socket options', () => {
    const { config, problems } = read({
      SOCKET_TUNE_PRESET: 'none',
      SOCKET_TUNE_BUFFER_MODE: 'Exact',
      SOCKET_TUNE_SENDFILE: 'off',
      SOCKET_TUNE_SENDFILE_MIN: '0',
      SOCKET_TUNE_SENDFILE_WINDOW: '2mb',
      SOCKET_TUNE_BEHIND: 'alb',
      SOCKET_TUNE_UDP_GSO: 'on',
      SOCKET_TUNE_SPLICE: 'auto',
      SOCKET_TUNE_REPORT: '/tmp/report-%p.json',
    });
    expect(problems).to.deep.equal([]);
    expect(config).to.deep.equal({
      bufferMode: 'exact',
      sendfile: false,
      sendfileMin: 0,
      sendfileWindow: 2 << 20,
      drain: 'off',
      drainDelay: 0,
      inspect: 'off',
      otel: 'auto',
      cork: 'auto',
      fs: 'auto',
      udpGso: true,
      splice: 'auto',
      behind: 'alb',
      report: '/tmp/report-%p.json',
    });
  });

  it('can switch everything off, and be strict', () => {
    expect(read({ SOCKET_TUNE: 'off' })).to.include({ enabled: false, strict: false });
    expect(read({ SOCKET_TUNE: 'on', SOCKET_TUNE_STRICT: 'yes' })).to.include({ enabled: true, strict: true });
  });

  it('cannot be changed', () => {
    const { config } = read({ SOCKET_TUNE_KEEPALIVE_IDLE: '90' });
    expect(config).to.be.frozen;
    expect(() => Reflect.set(config, 'keepAliveIdle', 1)).not.to.throw();
    expect(config.keepAliveIdle).to.equal(90);
  });

  describe('with a value that is not understood', () => {
    it('uses the value of the preset, does not count it as asked for, and reports variable, value, expected and used', () => {
      const { config, asked, problems } = read({
        SOCKET_TUNE_PRESET: 'lowlatency',
        SOCKET_TUNE_KEEPALIVE_IDLE: 'soon',
      });
      expect(config.keepAliveIdle).to.equal(30);
      expect(asked.size).to.equal(0);
      expect(problems).to.deep.equal([
        {
          variable: 'SOCKET_TUNE_KEEPALIVE_IDLE',
          value: 'soon',
          expected: 'a time of whole seconds from 1 to 32767, such as 1s or 30s, or off',
          used: '30s',
        },
      ]);
    });

    it('says what is used instead: on or off for a flag, and what the kernel has where the preset has no value', () => {
      const used = (environment: Readonly<Record<string, string>>): string[] =>
        read(environment).problems.map((problem) => `${problem.variable}: ${problem.used}`);
      expect(used({ SOCKET_TUNE_NODELAY: 'x' })).to.deep.equal(['SOCKET_TUNE_NODELAY: on']);
      expect(used({ SOCKET_TUNE_NODELAY: 'x', SOCKET_TUNE_PRESET: 'none' })).to.deep.equal([
        'SOCKET_TUNE_NODELAY: what the kernel has',
      ]);
      expect(used({ SOCKET_TUNE: 'x' })).to.deep.equal(['SOCKET_TUNE: on']);
      expect(used({ SOCKET_TUNE_STRICT: 'x' })).to.deep.equal(['SOCKET_TUNE_STRICT: off']);
      expect(used({ SOCKET_TUNE_PRESET: 'x' })).to.deep.equal(['SOCKET_TUNE_PRESET: default']);
      expect(used({ SOCKET_TUNE_BUFFER_MODE: 'x' })).to.deep.equal(['SOCKET_TUNE_BUFFER_MODE: floor']);
      expect(used({ SOCKET_TUNE_SENDFILE: 'x' })).to.deep.equal(['SOCKET_TUNE_SENDFILE: on']);
      expect(used({ SOCKET_TUNE_SENDFILE_MIN: 'x' })).to.deep.equal([
        `SOCKET_TUNE_SENDFILE_MIN: ${SETTINGS.sendfileMin.kind.display(SETTINGS.sendfileMin.default)}`,
      ]);
      expect(used({ SOCKET_TUNE_SENDFILE_WINDOW: '1k' })).to.deep.equal([
        `SOCKET_TUNE_SENDFILE_WINDOW: ${SETTINGS.sendfileWindow.kind.display(SETTINGS.sendfileWindow.default)}`,
      ]);
    });

    it('reports each of them, and uses the values that are right', () => {
      const { config, problems } = read({
        SOCKET_TUNE_PRESET: 'warp',
        SOCKET_TUNE_NODELAY: 'perhaps',
        SOCKET_TUNE_KEEPALIVE_COUNT: '128',
        SOCKET_TUNE_KEEPALIVE_IDLE: '90s',
      });
      expect(problems.map((problem) => problem.variable)).to.have.members([
        'SOCKET_TUNE_PRESET',
        'SOCKET_TUNE_NODELAY',
        'SOCKET_TUNE_KEEPALIVE_COUNT',
      ]);
      expect(config).to.include({ noDelay: true, keepAliveCount: 6, keepAliveIdle: 90 });
    });

    it('names a variable that it does not know', () => {
      expect(read({ SOCKET_TUNE_KEEPALIVE_IDEL: '5' }).problems).to.deep.equal([
        {
          variable: 'SOCKET_TUNE_KEEPALIVE_IDEL',
          value: '5',
          expected: 'a variable that socket-tune knows, such as SOCKET_TUNE_KEEPALIVE_IDLE',
          used: 'nothing',
        },
      ]);
      expect(read({ SOCKET_TUNE_CONNECT_PORT_70000_NODELAY: 'on' }).problems[0]?.expected).to.equal(
        'a port from 1 to 65535',
      );
      expect(read({ SOCKET_TUNE_FROBNICATE: '5' }).problems[0]?.expected).to.equal('a variable that socket-tune knows');
      expect(read({ SOCKET_TUNE_PORT_8080_KEEPALIV: 'on' }).problems[0]?.expected).to.equal(
        'a variable that socket-tune knows, such as SOCKET_TUNE_PORT_8080_KEEPALIVE',
      );
    });

    it('names a variable that will be known later', () => {
      expect(read({ SOCKET_TUNE_ZEROCOPY: 'on' }).problems).to.deep.equal([
        {
          variable: 'SOCKET_TUNE_ZEROCOPY',
          value: 'on',
          expected: 'a variable that socket-tune has (see docs/considered.md)',
          used: 'nothing',
        },
      ]);
    });

    it('is described in one sentence with all four parts', () => {
      const problem: ConfigProblem = { variable: 'SOCKET_TUNE_X', value: 'y', expected: 'on or off', used: 'on' };
      expect(describeProblem(problem)).to.equal("SOCKET_TUNE_X='y': expected on or off; using on instead");
    });
  });
});

describe('a config given in code', () => {
  function codeOf(config: unknown): string {
    try {
      validateConfig(config);
    } catch (error) {
      if (error instanceof SocketTuneError) return `${error.code}: ${error.message}`;
      throw error;
    }
    return 'valid';
  }

  it('is returned as it is if it is valid', () => {
    const config = {
      noDelay: false,
      receiveBuffer: 4096,
      keepAliveIdle: 32767,
      quickAck: 'once',
      deferAccept: undefined,
      bufferMode: 'exact',
      sendfile: false,
      sendfileMin: 0,
      sendfileWindow: 65536,
      report: 'exit',
    };
    expect(validateConfig(config)).to.equal(config);
    expect(codeOf({})).to.equal('valid');
  });

  it('takes the sample of every row, and its presets', () => {
    for (const row of OPTION_ROWS) {
      for (const value of [row.sample, ...Object.values(row.presets)]) {
        expect(codeOf({ [row.key]: value }), `${row.key} ${value}`).to.equal('valid');
      }
    }
  });

  it('must be an object', () => {
    expect(codeOf(undefined)).to.equal('ERR_SOCKET_TUNE_INVALID_ARG: config must be an object, not undefined');
    expect(codeOf(null)).to.equal('ERR_SOCKET_TUNE_INVALID_ARG: config must be an object, not null');
    expect(codeOf('default')).to.equal(
      "ERR_SOCKET_TUNE_INVALID_ARG: config must be an object, not a string ('default')",
    );
    expect(codeOf(() => 1)).to.equal('ERR_SOCKET_TUNE_INVALID_ARG: config must be an object, not a function');
  });

  it('must not have a property that is not an option', () => {
    expect(codeOf({ nodelay: true })).to.equal(
      'ERR_SOCKET_TUNE_INVALID_ARG: config.nodelay is not an option of socket-tune',
    );
  });

  it('must not have the properties that every object inherits', () => {
    for (const key of ['constructor', 'toString', 'hasOwnProperty', '__proto__']) {
      const config: unknown = JSON.parse(`{ "${key}": 1 }`);
      expect(codeOf(config), key).to.equal(
        `ERR_SOCKET_TUNE_INVALID_ARG: config.${key} is not an option of socket-tune`,
      );
    }
  });

  it('must have values of the right type, and the error names it', () => {
    expect(codeOf({ noDelay: 1 })).to.equal(
      'ERR_SOCKET_TUNE_INVALID_VALUE: config.noDelay must be a boolean, not a number (1)',
    );
    expect(codeOf({ quickAck: true })).to.equal(
      "ERR_SOCKET_TUNE_INVALID_VALUE: config.quickAck must be 'on', 'once' or 'off', not a boolean (true)",
    );
    expect(codeOf({ keepAliveIdle: '60' })).to.equal(
      "ERR_SOCKET_TUNE_INVALID_VALUE: config.keepAliveIdle must be a whole number of seconds from 1 to 32767, not a string ('60')",
    );
    expect(codeOf({ fastOpen: null })).to.equal(
      'ERR_SOCKET_TUNE_INVALID_VALUE: config.fastOpen must be a whole number of units from 1 to 65535, not null',
    );
  });

  it('must have numbers that are whole and in range', () => {
    for (const value of [0, 32768, 1.5, Number.NaN, Number.POSITIVE_INFINITY, -1]) {
      expect(codeOf({ keepAliveIdle: value }), String(value)).to.match(/^ERR_SOCKET_TUNE_INVALID_VALUE/);
    }
    expect(codeOf({ keepAliveIdle: 1 })).to.equal('valid');
  });

  it('must have settings of the right kind', () => {
    const wrong = { bufferMode: 'big', sendfile: 'on', sendfileMin: -1, sendfileWindow: 1024, report: true };
    for (const [key, value] of Object.entries(wrong)) {
      expect(codeOf({ [key]: value }), key).to.match(
        new RegExp(`^ERR_SOCKET_TUNE_INVALID_VALUE: config\\.${key} must`),
      );
    }
  });

  it('fails with an error of its own class that carries the code', () => {
    expect(codeOf([])).to.match(/^ERR_SOCKET_TUNE_INVALID_ARG: config must be an object, not an instance of Array/);
    expect(() => validateConfig(1))
      .to.throw(SocketTuneError)
      .that.includes({ name: 'SocketTuneError', code: 'ERR_SOCKET_TUNE_INVALID_ARG' });
  });
});

describe('the ready-made configs', () => {
  const READY_MADE = {
    default: defaultConfig,
    lowlatency: lowLatencyConfig,
    highthroughput: highThroughputConfig,
  } as const;

  for (const [preset, make] of Object.entries(READY_MADE)) {
    it(`are valid, frozen and the preset's values: ${preset}`, () => {
      const config = make();
      expect(config).to.be.frozen;
      expect(config).to.deep.equal(presetValues(preset as keyof typeof READY_MADE));
      expect(validateConfig(config)).to.equal(config);
    });
  }

  it('can be spread to change a value', () => {
    expect(defaultConfig().fastOpen).to.equal(256);
    expect({ ...defaultConfig(), fastOpen: 64 }).to.include({ fastOpen: 64, keepAliveIdle: 60 });
  });
});
