/** Whether this machine stores the least significant byte of a number first. */
export const isLittleEndian = process.getBuiltinModule('node:os').endianness() === 'LE';
