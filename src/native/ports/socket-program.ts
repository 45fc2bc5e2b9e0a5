import { isLittleEndian } from '../endianness.js';

/**
 * Programs that choose the listener of a connection among those that share its port (SO_ATTACH_REUSEPORT_CBPF, socket(7)):
 * classic BPF, which every user may attach. They answer with an index into the group, whose order is that in which its sockets
 * called listen(2); when one is closed, the last takes its place (net/core/sock_reuseport.c). An index that nobody has means the
 * kernel's own choice, by a hash of the addresses.
 */

/** What is to be chosen from. */
export interface Steering {
  /** Indices that connections may go to. At least one. */
  readonly active: readonly number[];
  /** Go by the CPU that the packet came in on; otherwise by chance. */
  readonly byCpu: boolean;
  /** Listeners whose process runs on one CPU only. */
  readonly pinned: ReadonlyMap<number, number>;
}

/** struct sock_filter (include/uapi/linux/filter.h) as its four members. */
export type Instruction = readonly [code: number, whenTrue: number, whenFalse: number, operand: number];

const LOAD = 0x20;
const MODULO = 0x94;
const JUMP_IF_EQUAL = 0x15;
const RETURN_CONSTANT = 0x06;
const RETURN_ACCUMULATOR = 0x16;

/** SKF_AD_OFF + SKF_AD_CPU, SKF_AD_RANDOM: not of the packet, but of its circumstances. */
const CPU = 0xffff_f000 + 36;
const RANDOM = 0xffff_f000 + 56;

function choose(value: number, index: number): Instruction[] {
  return [
    [JUMP_IF_EQUAL, 0, 1, value],
    [RETURN_CONSTANT, 0, 0, index],
  ];
}

/** The program for a steering. */
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

/** Byte 13 of the TCP header has the flags; a packet that has SYN and not ACK begins a connection. */
const FLAGS_AT = 13;
const SYN = 0x02;
const SYN_AND_ACK = 0x12;
const LOAD_BYTE = 0x30;
const AND = 0x54;

/** A filter of a listener (SO_ATTACH_FILTER) that drops what begins a connection, and lets all else through. */
export const NO_NEWCOMERS: readonly Instruction[] = [
  [LOAD_BYTE, 0, 0, FLAGS_AT],
  [AND, 0, 0, SYN_AND_ACK],
  [JUMP_IF_EQUAL, 0, 1, SYN],
  [RETURN_CONSTANT, 0, 0, 0],
  [RETURN_CONSTANT, 0, 0, 0xffff_ffff],
];

/** As the kernel takes it: an array of struct sock_filter. */
export function encodeProgram(program: readonly Instruction[]): Buffer {
  // Of its own, so that it does not move: the kernel is given its address.
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
