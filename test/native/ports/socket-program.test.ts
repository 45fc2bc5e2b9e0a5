import { expect } from 'chai';
import { encodeProgram, NO_NEWCOMERS, steeringProgram } from '../../../src/native/ports/socket-program.js';

describe('a BPF program', () => {
  it('is encoded as in the kernel’s headers', () => {
    const program = steeringProgram({ active: [0, 2], byCpu: true, pinned: new Map([[5, 2]]) });
    const codes = program.map(([code]) => code);
    expect(codes).to.deep.equal([0x20, 0x15, 0x06, 0x94, 0x15, 0x06, 0x15, 0x06, 0x16]);
    const bytes = encodeProgram(program);
    expect(bytes).to.have.length(8 * program.length);
    const little = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
    const operand = (line: number): number =>
      little ? bytes.readUInt32LE(line * 8 + 4) : bytes.readUInt32BE(line * 8 + 4);
    expect([operand(0), operand(1), operand(2), operand(3)]).to.deep.equal([0xffff_f024, 5, 2, 2]);
    // For this CPU the next line runs; otherwise it is skipped.
    expect([bytes[8 + 2], bytes[8 + 3]]).to.deep.equal([0, 1]);
  });

  it('spreads connections by the modulo alone over the first listeners', () => {
    const program = steeringProgram({ active: [0, 1, 2], byCpu: false, pinned: new Map([[5, 2]]) });
    expect(program.map(([code]) => code)).to.deep.equal([0x20, 0x94, 0x16]);
    expect(program[1]?.[3]).to.equal(3);
  });

  it('drops a SYN without ACK, and passes everything else', () => {
    expect(NO_NEWCOMERS.at(-2)).to.deep.equal([0x06, 0, 0, 0]);
    expect(NO_NEWCOMERS.at(-1)).to.deep.equal([0x06, 0, 0, 0xffff_ffff]);
    expect(NO_NEWCOMERS[2]).to.deep.equal([0x15, 0, 1, 0x02]);
  });
});
