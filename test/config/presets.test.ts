import { expect } from 'chai';
import { PRESET_NAMES, presetValues } from '../../src/config/presets.js';
import type { PresetName } from '../../src/options/socket-option.js';
import type { OptionValues } from '../../src/options/table.js';

/** As documented. Written out in full, so that a change of the table needs a change here. */
const DOCUMENTED: Readonly<Record<PresetName, OptionValues>> = {
  default: {
    noDelay: true,
    receiveBuffer: 262_144,
    sendBuffer: 262_144,
    keepAlive: true,
    keepAliveIdle: 60,
    keepAliveInterval: 10,
    keepAliveCount: 6,
    quickAck: 'on',
    fastOpen: 256,
    noSigPipe: true,
    backlog: 4096,
    retransmitTimeoutMax: 10_000,
    deadPeer: 120,
    bindAddressNoPort: true,
    udpReceiveBuffer: 2_097_152,
    udpSendBuffer: 2_097_152,
  },
  lowlatency: {
    noDelay: true,
    receiveBuffer: 131_072,
    sendBuffer: 131_072,
    keepAlive: true,
    keepAliveIdle: 30,
    keepAliveInterval: 5,
    keepAliveCount: 3,
    quickAck: 'on',
    fastOpen: 256,
    retransmitTimeoutMax: 3400,
    deadPeer: 45,
    noSigPipe: true,
    notSentLowWater: 262_144,
    delayedAckMax: 8000,
    thinLinear: true,
    backlog: 4096,
    bindAddressNoPort: true,
    udpReceiveBuffer: 2_097_152,
    udpSendBuffer: 2_097_152,
  },
  highthroughput: {
    noDelay: true,
    receiveBuffer: 1_048_576,
    sendBuffer: 1_048_576,
    keepAlive: true,
    keepAliveIdle: 60,
    keepAliveInterval: 10,
    keepAliveCount: 6,
    quickAck: 'off',
    deferAccept: 5,
    fastOpen: 256,
    noSigPipe: true,
    backlog: 4096,
    retransmitTimeoutMax: 10_000,
    deadPeer: 120,
    bindAddressNoPort: true,
    udpReceiveBuffer: 7_340_032,
    udpSendBuffer: 7_340_032,
  },
  none: {},
};

/** Without values that are `off`: they leave the option alone, as if they were absent. */
function effective(values: OptionValues): OptionValues {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== 'off'));
}

describe('presets', () => {
  it('are four', () => {
    expect([...PRESET_NAMES].sort()).to.deep.equal(Object.keys(DOCUMENTED).sort());
  });

  for (const preset of PRESET_NAMES) {
    it(`have exactly the documented values in "${preset}"`, () => {
      expect(effective(presetValues(preset))).to.deep.equal(effective(DOCUMENTED[preset]));
    });
  }

  it('are a new object for every caller, so that a change of one does not reach another', () => {
    const first = presetValues('default');
    Reflect.set(first, 'keepAliveIdle', 1);
    expect(first.keepAliveIdle).to.equal(1);
    expect(presetValues('default').keepAliveIdle).to.equal(60);
  });
});
