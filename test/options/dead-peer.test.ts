import { expect } from 'chai';
import { endsInTime, impliedByDeadPeer, retransmissionTime, withDeadPeer } from '../../src/options/dead-peer.js';
import { OPTION_ROWS } from '../../src/options/table.js';

describe('a time for dead peers', () => {
  it('is divided into idle time and probes, which are over in time', () => {
    for (const deadPeer of [2, 3, 5, 10, 45, 60, 120, 900, 32_767]) {
      const { keepAliveIdle, keepAliveInterval, keepAliveCount } = impliedByDeadPeer(deadPeer);
      const total = keepAliveIdle + keepAliveInterval * keepAliveCount;
      expect(total, String(deadPeer)).to.be.within(deadPeer * 0.8, deadPeer);
    }
  });

  it('has the kernel give up its retransmissions in time, from 16 seconds on', () => {
    for (const deadPeer of [16, 30, 60, 120, 600]) {
      const { retransmitTimeoutMax } = impliedByDeadPeer(deadPeer);
      expect(retransmissionTime(retransmitTimeoutMax), String(deadPeer)).to.be.within(deadPeer * 800, deadPeer * 1000);
      expect(endsInTime(deadPeer * 1000, retransmitTimeoutMax)).to.equal(true);
    }
    expect(endsInTime(10_000, impliedByDeadPeer(10).retransmitTimeoutMax)).to.equal(false);
    expect(endsInTime(60_000, undefined)).to.equal(false);
  });

  it('of a preset is kept by the RTO_MAX and the keepalive of that preset', () => {
    const presetOf = (key: string, preset: 'default' | 'lowlatency' | 'highthroughput'): number =>
      Number(OPTION_ROWS.find((row) => row.key === key)?.presets[preset]);
    for (const preset of ['default', 'lowlatency', 'highthroughput'] as const) {
      const deadPeer = presetOf('deadPeer', preset);
      expect(endsInTime(deadPeer * 1000, presetOf('retransmitTimeoutMax', preset)), preset).to.equal(true);
      const probes = presetOf('keepAliveInterval', preset) * presetOf('keepAliveCount', preset);
      expect(presetOf('keepAliveIdle', preset) + probes, preset).to.equal(deadPeer);
    }
  });

  it('given in code shortens what a preset brought, leaves what is shorter, and the app’s off', () => {
    const values = { deadPeer: 10, keepAlive: true, keepAliveIdle: 60, keepAliveInterval: 10, keepAliveCount: 6 };
    expect(withDeadPeer(values)).to.deep.equal({ deadPeer: 10, ...impliedByDeadPeer(10) });
    const short = { ...values, keepAliveIdle: 2, keepAliveInterval: 1, keepAliveCount: 3, retransmitTimeoutMax: 500 };
    expect(withDeadPeer(short)).to.deep.equal(short);
    expect(withDeadPeer({ deadPeer: 10, keepAlive: false })).to.include({
      keepAlive: false,
      retransmitTimeoutMax: 1000,
    });
    expect(withDeadPeer({ noDelay: true })).to.deep.equal({ noDelay: true });
  });
});
