import { isLittleEndian } from '../endianness.js';

/**
 * Programs that choose the listener of a connection in a group on one port: SO_ATTACH_REUSEPORT_CBPF, socket(7). Every user may attach
 * classic BPF. The result is an index into the group. Its order is that of the calls of listen(2); when one is closed, the last takes
 * its place (net/core/sock_reuseport.c). For an index without a listener, the kernel chooses by a hash of the addresses.
 */

/** The listeners to choose from, and how. */
export interface Steering {
  /** Indices of listeners that get connections. At least one. */
  readonly active: readonly number[];
  /** Choose by the CPU that received the packet; otherwise at random. */
  readonly byCpu: boolean;
  /** Index of the listener for a CPU, where its process runs on that CPU alone. */
  readonly pinned: ReadonlyMap<number, number>;
}

/** The four members of struct sock_filter: include/uapi/linux/filter.h. */
export type Instruction = readonly [code: number, whenTrue: number, whenFalse: number, operand: number];

const LOAD = 0x20;
const MODULO = 0x94;
const JUMP_IF_EQUAL = 0x15;
const RETURN_CONSTANT = 0x06;
const RETURN_ACCUMULATOR = 0x16;

/** Loads that are not from the packet: SKF_AD_OFF + SKF_AD_CPU, SKF_AD_OFF + SKF_AD_RANDOM. */
const CPU = 0xffff_f000 + 36;
const RANDOM = 0xffff_f000 + 56;

function choose(value: number, index: number): Instruction[] {
  return [
    [JUMP_IF_EQUAL, 0, 1, value],
    [RETURN_CONSTANT, 0, 0, index],
  ];
}

/** The program of a steering. */
export function steeringProgram({ active, byCpu, pinned }: Steering): readonly Instruction[] {
  const isDense = active.every((index, place) => index === place);
  return [
    [LOAD, 0, 0, byCpu ? CPU : RANDOM],
    ...(byCpu ? [...pinned].flatMap(([cpu, index]) => choose(cpu, index)) : []),
    [MODULO, 0, 0, active.length],
    ...(isDense ? [] : active.flatMap((index, place) => choose(place, index))),
    [RETURN_ACCUMULATOR, 0, 0, 0],
  ];
}

/** Byte 13 of the TCP header has the flags. SYN without ACK begins a connection. */
const FLAGS_AT = 13;
const SYN = 0x02;
const SYN_AND_ACK = 0x12;
const LOAD_BYTE = 0x30;
const AND = 0x54;

/** Filter of a listener (SO_ATTACH_FILTER) that drops new SYNs and passes everything else. */
export const NO_NEWCOMERS: readonly Instruction[] = [
  [LOAD_BYTE, 0, 0, FLAGS_AT],
  [AND, 0, 0, SYN_AND_ACK],
  [JUMP_IF_EQUAL, 0, 1, SYN],
  [RETURN_CONSTANT, 0, 0, 0],
  [RETURN_CONSTANT, 0, 0, 0xffff_ffff],
];

/** A program as an array of struct sock_filter. */
export function encodeProgram(program: readonly Instruction[]): Buffer {
  // allocUnsafeSlow: memory of its own does not move, and the kernel has its address.
  const bytes = Buffer.allocUnsafeSlow(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach(([code, whenTrue, whenFalse, operand], line) => {
    view.setUint16(line * 8, code, isLittleEndian);
    view.setUint8(line * 8 + 2, whenTrue);
    view.setUint8(line * 8 + 3, whenFalse);
    view.setUint32(line * 8 + 4, operand, isLittleEndian);
  });
  return bytes;
}
