/** Whether this machine's numbers begin with their least byte. */
export const isLittleEndian = process.getBuiltinModule('node:os').endianness() === 'LE';
