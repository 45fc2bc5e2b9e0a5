import type { Libc } from '../libc.js';
import type { FileCalls, FileStatus } from '../platform.js';

/** include/uapi/linux/stat.h: the layout of `struct statx` is the same on every architecture. */
const AT_EMPTY_PATH = 0x1000;
const AT_STATX_DONT_SYNC = 0x4000;
const STATX_TYPE = 0x1;
const STATX_INO = 0x100;
const STATX_SIZE = 0x200;
const STATX_BASIC_STATS = 0x7ff;
const STATX_BTIME = 0x800;
/** Kernel 6.8. */
const STATX_MNT_ID_UNIQUE = 0x4000;
const WANTED = STATX_TYPE | STATX_INO | STATX_SIZE;
const MASK_OFFSET = 0;
const BLOCK_SIZE_OFFSET = 4;
const LINKS_OFFSET = 16;
const USER_OFFSET = 20;
const GROUP_OFFSET = 24;
const MODE_OFFSET = 28;
const INODE_OFFSET = 32;
const SIZE_OFFSET = 40;
const BLOCKS_OFFSET = 48;
/** Of access, change of content, change of the inode, and birth: in the order in which Node has them. */
const TIME_OFFSETS = [64, 112, 96, 80] as const;
const NANOSECONDS = 8;
const SPECIAL_MAJOR_OFFSET = 128;
const SPECIAL_MINOR_OFFSET = 132;
const DEVICE_MAJOR_OFFSET = 136;
const DEVICE_MINOR_OFFSET = 140;
const MOUNT_OFFSET = 144;
const STATX_BYTES = 256;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

/** `struct statfs`: f_type is its first word. */
const STATFS_BYTES = 256;

/**
 * File systems whose regular files are exactly as long as they say and are served from the page cache (statfs(2)). The
 * others make files up as they are read (proc, sysfs), or may wait for a network or a user process where we must not.
 */
const KNOWN_FILESYSTEMS: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0x794c7630, // overlayfs
  0xf2f52010, // f2fs
  0x2fc12fc1, // zfs
  0xca451a4e, // bcachefs
  0x73717368, // squashfs
  0xe0f5e1e2, // erofs
]);

/**
 * What stays with one file system for good, for as long as we know of it; undefined if the kernel tells nothing such. The
 * number of a real device does; that of tmpfs or overlayfs may be another's after an unmount.
 */
function placeOf({ mount, deviceMajor, deviceMinor }: FileStatus): number | undefined {
  // Mounts and devices are numbered independently; numbers of mounts begin above all of devices.
  if (mount !== 0) return mount;
  return deviceMajor === 0 ? undefined : -(deviceMajor * 2 ** 20 + deviceMinor);
}

type StatusCalls = Pick<
  FileCalls,
  'status' | 'cachedStatus' | 'cachedFields' | 'hasKnownFilesystem' | 'isOnKnownFilesystem' | 'noteFilesystem'
>;

/** makedev(3): the number of a device as stat(2) gives it. Beyond 32 bits, so not by shifts. */
function deviceNumber(major: number, minor: number): number {
  const low = ((major & 0xfff) << 8) | (minor & 0xff) | ((minor & 0xfff00) << 12);
  return (low >>> 0) + Math.floor(minor / 0x100000) * 2 ** 32 + Math.floor(major / 0x1000) * 2 ** 44;
}

/** statx(2) and fstatfs(2). */
export function statusCalls(libc: Libc): StatusCalls {
  const statx = libc.bind<(fd: number, path: Uint8Array, flags: number, mask: number, out: DataView) => number>(
    'int statx(int fd, const void *path, int flags, unsigned int mask, void *out)',
  );
  const fstatfs = libc.bind<(fd: number, out: Uint8Array) => number>('int fstatfs(int fd, void *out)');
  const emptyPath = new Uint8Array(1);
  const view = new DataView(new ArrayBuffer(STATX_BYTES));
  const filesystem = new Uint8Array(STATFS_BYTES);
  const known = new Set<number>();
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

  // In halves: a BigInt would be one more object for every question.
  const wide = (offset: number): number => {
    const [low, high] = littleEndian ? [offset, offset + 4] : [offset + 4, offset];
    return view.getUint32(low, littleEndian) + view.getUint32(high, littleEndian) * 2 ** 32;
  };
  const look = (fd: number, status: FileStatus, flags: number, wanted = WANTED): boolean => {
    if (statx(fd, emptyPath, AT_EMPTY_PATH | flags, wanted | STATX_MNT_ID_UNIQUE, view) !== 0) return false;
    const mask = view.getUint32(MASK_OFFSET, littleEndian);
    if ((mask & wanted) !== wanted) return false;
    status.regular = (view.getUint16(MODE_OFFSET, littleEndian) & S_IFMT) === S_IFREG;
    status.size = wide(SIZE_OFFSET);
    status.inode = wide(INODE_OFFSET);
    status.deviceMajor = view.getUint32(DEVICE_MAJOR_OFFSET, littleEndian);
    status.deviceMinor = view.getUint32(DEVICE_MINOR_OFFSET, littleEndian);
    status.mount = (mask & STATX_MNT_ID_UNIQUE) === 0 ? 0 : wide(MOUNT_OFFSET);
    return true;
  };
  const word = (offset: number): number => view.getUint32(offset, littleEndian);
  /** Before 1970 they are negative. */
  const seconds = (offset: number): number => Number(view.getBigInt64(offset, littleEndian));
  const isKnown = (status: FileStatus): boolean => {
    const place = placeOf(status);
    return place !== undefined && known.has(place);
  };

  return {
    status: (fd, status) => look(fd, status, 0),
    cachedStatus: (fd, status) => look(fd, status, AT_STATX_DONT_SYNC),
    cachedFields(fd, status, fields) {
      if (!look(fd, status, AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_BTIME)) return false;
      fields[0] = deviceNumber(status.deviceMajor, status.deviceMinor);
      fields[1] = view.getUint16(MODE_OFFSET, littleEndian);
      fields[2] = word(LINKS_OFFSET);
      fields[3] = word(USER_OFFSET);
      fields[4] = word(GROUP_OFFSET);
      fields[5] = deviceNumber(word(SPECIAL_MAJOR_OFFSET), word(SPECIAL_MINOR_OFFSET));
      fields[6] = word(BLOCK_SIZE_OFFSET);
      fields[7] = status.inode;
      fields[8] = status.size;
      fields[9] = wide(BLOCKS_OFFSET);
      let field = 10;
      for (const offset of TIME_OFFSETS) {
        fields[field++] = seconds(offset);
        fields[field++] = word(offset + NANOSECONDS);
      }
      return true;
    },
    noteFilesystem(status, magic) {
      const place = placeOf(status);
      if (place !== undefined && KNOWN_FILESYSTEMS.has(magic)) known.add(place);
    },
    isOnKnownFilesystem: isKnown,
    hasKnownFilesystem(fd, status) {
      if (isKnown(status)) return true;
      if (fstatfs(fd, filesystem) !== 0) return false;
      // The first word is 32 bits of magic, in a long: its low half is what the list has, whatever the byte order.
      const low = littleEndian ? 0 : 4;
      if (!KNOWN_FILESYSTEMS.has(new DataView(filesystem.buffer).getUint32(low, littleEndian))) return false;
      const place = placeOf(status);
      if (place !== undefined) known.add(place);
      return true;
    },
  };
}
