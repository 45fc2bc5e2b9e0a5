import { expect } from 'chai';
import { configFromEnvironment, type EnvironmentConfig } from '../../src/config/config.js';
import { presetValues } from '../../src/config/presets.js';

function read(variables: Readonly<Record<string, string>>): EnvironmentConfig {
  return configFromEnvironment(
    new Map(Object.entries(variables).map(([name, value]) => [`SOCKET_TUNE_${name}`, value])),
  );
}

describe('options of one port', () => {
  it('are the general ones, overridden by its own', () => {
    const { config, problems } = read({ USER_TIMEOUT: '9s', PORT_8080_USER_TIMEOUT: '5s', PORT_8080_FASTOPEN: 'off' });
    expect(problems).to.deep.equal([]);
    expect(config.userTimeout).to.equal(9000);
    expect(config.fastOpen).to.equal(256);
    const { fastOpen, ...rest } = presetValues('default');
    expect(config.ports).to.deep.equal({ 8080: { ...rest, userTimeout: 5000 } });
  });

  it('may have a preset of their own, which the general variables of options outweigh', () => {
    const { config } = read({ PORT_1_PRESET: 'low-latency', KEEPALIVE_COUNT: '9', PORT_2_PRESET: 'none' });
    expect(config.ports?.[1]).to.deep.equal({ ...presetValues('lowlatency'), keepAliveCount: 9 });
    expect(config.ports?.[2]).to.deep.equal({ keepAliveCount: 9 });
    expect(config.keepAliveIdle).to.equal(60);
  });

  it('exist for each port that a variable names, and for no other', () => {
    expect(Object.keys(read({ PORT_80_NODELAY: 'off', PORT_65535_NODELAY: 'off' }).config.ports ?? {})).to.deep.equal([
      '80',
      '65535',
    ]);
    expect(read({ NODELAY: 'off' }).config).not.to.have.property('ports');
  });

  it('are a problem if there is no such port, or listeners have no such option', () => {
    for (const name of ['PORT_0_NODELAY', 'PORT_65536_NODELAY', 'PORT_X_NODELAY', 'PORT_80_UDP_RCVBUF']) {
      const { problems, config } = read({ [name]: 'off' });
      expect(
        problems.map(({ variable }) => variable),
        name,
      ).to.deep.equal([`SOCKET_TUNE_${name}`]);
      expect(config.noDelay).to.equal(true);
    }
  });

  it('report the value that is used in place of one that is not understood', () => {
    const [problem] = read({ USER_TIMEOUT: '9s', PORT_80_USER_TIMEOUT: 'soon' }).problems;
    expect(problem).to.include({ variable: 'SOCKET_TUNE_PORT_80_USER_TIMEOUT', used: '9000ms' });
  });

  it('count as asked for', () => {
    expect([...read({ PORT_80_MARK: '7', TOS: 'ef' }).asked].sort()).to.deep.equal(['mark', 'typeOfService']);
  });
});

describe('options of outgoing sockets', () => {
  it('are left alone unless CONNECT is on, and without it their variables are reported', () => {
    const { config, problems } = read({ CONNECT_USER_TIMEOUT: '5s', CONNECT_PRESET: 'lowlatency' });
    expect(config).not.to.have.property('connect');
    expect(problems).to.have.deep.members([
      {
        variable: 'SOCKET_TUNE_CONNECT_USER_TIMEOUT',
        value: '5s',
        expected: 'SOCKET_TUNE_CONNECT=on beside it',
        used: 'nothing',
      },
      {
        variable: 'SOCKET_TUNE_CONNECT_PRESET',
        value: 'lowlatency',
        expected: 'SOCKET_TUNE_CONNECT=on beside it',
        used: 'nothing',
      },
    ]);
    expect(read({ CONNECT: 'off' }).config).not.to.have.property('connect');
  });

  it('are the general ones, overridden by their own', () => {
    const { config, problems } = read({ CONNECT: 'on', KEEPALIVE_IDLE: '20', CONNECT_KEEPALIVE_COUNT: '2' });
    expect(problems).to.deep.equal([]);
    expect(config.connect).to.deep.equal({ ...presetValues('default'), keepAliveIdle: 20, keepAliveCount: 2 });
    expect(config.keepAliveCount).to.equal(6);
  });

  it('may have a preset of their own', () => {
    const { config } = read({ CONNECT: 'on', CONNECT_PRESET: 'none', CONNECT_USER_TIMEOUT: '5s' });
    expect(config.connect).to.deep.equal({ userTimeout: 5000 });
    expect(config.noDelay).to.equal(true);
  });

  it('do not include options of listeners alone', () => {
    const [problem] = read({ CONNECT: 'on', CONNECT_DEFER_ACCEPT: '5' }).problems;
    expect(problem).to.include({ variable: 'SOCKET_TUNE_CONNECT_DEFER_ACCEPT', used: 'nothing' });
  });

  it('are reported if they have no effect', () => {
    const [problem] = read({ CONNECT: 'on', CONNECT_KEEPALIVE: 'off', CONNECT_KEEPALIVE_IDLE: '5' }).problems;
    expect(problem).to.include({
      variable: 'SOCKET_TUNE_CONNECT_KEEPALIVE_IDLE',
      expected: 'SOCKET_TUNE_CONNECT_KEEPALIVE=on beside it',
    });
  });
});

describe('options by their numbers', () => {
  const raw = (text: string) => read({ RAW: text });

  it('are level, name, value and phase, of any number', () => {
    expect(raw('6:25:16384, 0x1:0xC:-1@accepted,1:36:0xffffffff@before-connect').config.raw).to.deep.equal([
      { level: 6, name: 25, value: 16_384, phase: 'before-listen' },
      { level: 1, name: 12, value: -1, phase: 'accepted' },
      { level: 1, name: 36, value: -1, phase: 'before-connect' },
    ]);
  });

  it('are for listeners of every port, and for outgoing sockets', () => {
    const { config } = read({ RAW: '6:25:1', CONNECT: 'on', PORT_80_NODELAY: 'off' });
    expect(config.ports?.[80]?.raw).to.deep.equal(config.raw);
    expect(config.connect?.raw).to.deep.equal(config.raw);
  });

  it('are a problem if one of them is malformed, and then none is set', () => {
    for (const text of ['6:25', '6:25:x', '6:25:1@later', '6:25:1,', '6:25:4294967296', '6:25:1.5', 'a:1:1']) {
      const { config, problems } = raw(text);
      expect(problems[0]?.expected, text).to.match(/^level:name:int\[@phase\]/);
      expect(config, text).not.to.have.property('raw');
    }
  });
});

describe('a number that has a name', () => {
  it('is accepted by its name in any case, or as a number', () => {
    for (const [text, value] of Object.entries({ ef: 184, AF21: 72, cs0: 0, le: 4, 46: 46, ' va ': 176 })) {
      expect(read({ TOS: text }).config.typeOfService, text).to.equal(value);
    }
    expect(read({ IP_MTU_DISCOVER: 'probe' }).config.mtuDiscovery).to.equal(3);
  });

  it('is a problem with a name of another option, and the right names are listed', () => {
    const [problem] = read({ TOS: 'probe' }).problems;
    expect(problem?.expected).to.match(/^a whole number from 0 to 255, one of cs0, le, .*cs7, or off$/);
    expect(read({ TOS: 'constructor' }).problems).to.have.length(1);
  });
});

describe('a name', () => {
  it('is passed on unchecked, as only the kernel knows its names', () => {
    expect(read({ CONGESTION: ' BBR ' }).config.congestionControl).to.equal('bbr');
    expect(read({ CONGESTION: 'off' }).config).not.to.have.property('congestionControl');
    for (const text of ['a b', 'sixteen-letters-', 'bbr;']) {
      expect(read({ CONGESTION: text }).problems[0]?.expected).to.match(/^a name of up to 15 letters/);
    }
  });
});
