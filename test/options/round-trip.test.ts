import { expect } from 'chai';
import { probeSocket } from '../../src/cli/probe-sockets.js';
import type { SocketHandle } from '../../src/node/net.js';
import { applyAndConfirm, readOption } from '../../src/options/apply.js';
import { planOptions, type SocketKind, type Step } from '../../src/options/plan.js';
import { OPTION_ROWS, type OptionRow } from '../../src/options/table.js';
import { linux, setKernelValue } from '../support/sockets/kernel-value.js';

/** The step that sets a row's sample. An option that the row requires is on. */
function sampleStep(row: OptionRow, target: SocketKind['target']): Step | undefined {
  const required = row.requires === undefined ? {} : { [row.requires]: true };
  const values = { ...required, [row.key]: row.sample };
  const family = target === 'datagram' ? 'udp' : 'tcp';
  const kind = { target, family, clientSpeaksFirst: true, exactBuffers: true } as const;
  return planOptions(linux(), values, kind).steps.find((step) => step.row === row);
}

/** What nobody has asked for: a socket of TCP. */
function ofPlainSocket(step: Step): ReturnType<typeof readOption> {
  const fd = linux().openSocket(false);
  const value = readOption(linux(), step, { fd });
  linux().close(fd);
  return value;
}

/** Check that the sample is not the initial value, set it, and read it back. */
function roundTrip(step: Step, handle: SocketHandle): void {
  // A new connection begins with quick ACKs, which end with the first data that it sends.
  if (step.row.key === 'quickAck') setKernelValue(handle, 'TCP_QUICKACK', 0);
  const initial = step.row.atCreation ? ofPlainSocket(step) : readOption(linux(), step, handle);
  expect(initial, 'the initial value').not.to.equal(undefined);
  const outcome = applyAndConfirm(linux(), step, handle);
  const kernel = readOption(linux(), step, handle);
  expect(kernel).not.to.equal(initial);
  if (step.row.readBack === 'none') expect(outcome).to.equal(step.applied);
  else expect(outcome).to.include({ option: step.row.key, asked: step.asked, kernel });
  const { readBack } = step.row;
  const asked = Number(step.asked);
  // What the kernel keeps as another number is explained, and nothing else is.
  const isOther = readBack !== 'none' && typeof step.asked === 'number' && kernel !== step.asked;
  expect(outcome.note !== undefined, outcome.note).to.equal(isOther);
  if (readBack === 'doubled') expect(kernel).to.equal(asked * 2);
  else if (readBack === 'rounded') expect(kernel).to.be.within(asked, asked * 2);
  else expect(kernel).to.equal(step.asked);
  expect(outcome.verdict).to.equal(linux().inertCause(step.row.constant) === undefined ? 'applied' : 'inert');
}

describe('every option of the table, set and read back on real sockets', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  for (const row of OPTION_ROWS) {
    const lacks = row.constant === 'SO_NOSIGPIPE';
    for (const target of ['listener', 'accepted', 'outgoing', 'datagram'] as const) {
      if (!row.targets.includes(target) || row.watched) {
        it(`leaves ${row.variable} out of what is set on ${target} sockets`, () => {
          expect(sampleStep(row, target)).to.equal(undefined);
        });
      } else if (lacks) {
        it(`has no ${row.constant} to set on ${target} sockets of Linux`, () => {
          expect(sampleStep(row, target)).to.equal(undefined);
        });
      } else {
        it(`sets ${row.constant} (${row.variable}) on ${target} sockets`, async () => {
          const step = sampleStep(row, target);
          expect(step).not.to.equal(undefined);
          const socket = await probeSocket(linux(), row, target);
          try {
            roundTrip(step!, socket.handle);
          } finally {
            socket.close();
          }
        });
      }
    }
  }
});
