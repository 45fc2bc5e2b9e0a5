import type { Libc } from './libc.js';
import type { FileCalls, FileStatus } from './platform.js';

/** include/uapi/linux/stat.h: the layout of `struct statx` is the same on every architecture. */
const AT_EMPTY_PATH = 0x1000;
const STATX_TYPE = 0x1;
const STATX_INO = 0x100;
const STATX_SIZE = 0x200;
const WANTED = STATX_TYPE | STATX_INO | STATX_SIZE;
const MASK_OFFSET = 0;
const MODE_OFFSET = 28;
const INODE_OFFSET = 32;
const SIZE_OFFSET = 40;
const DEVICE_MAJOR_OFFSET = 136;
const DEVICE_MINOR_OFFSET = 140;
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

/** statx(2) and fstatfs(2). */
export function statusCalls(libc: Libc): Pick<FileCalls, 'status' | 'hasKnownFilesystem'> {
  const statx = libc.bind<(fd: number, path: Uint8Array, flags: number, mask: number, out: DataView) => number>(
    'int statx(int fd, const void *path, int flags, unsigned int mask, void *out)',
  );
  const fstatfs = libc.bind<(fd: number, out: Uint8Array) => number>('int fstatfs(int fd, void *out)');
  const emptyPath = new Uint8Array(1);
  const view = new DataView(new ArrayBuffer(STATX_BYTES));
  const filesystem = new Uint8Array(STATFS_BYTES);
  const knownDevices = new Set<number>();
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

  return {
    status(fd: number, status: FileStatus): boolean {
      if (statx(fd, emptyPath, AT_EMPTY_PATH, WANTED, view) !== 0) return false;
      if ((view.getUint32(MASK_OFFSET, littleEndian) & WANTED) !== WANTED) return false;
      status.regular = (view.getUint16(MODE_OFFSET, littleEndian) & S_IFMT) === S_IFREG;
      status.size = Number(view.getBigUint64(SIZE_OFFSET, littleEndian));
      status.inode = Number(view.getBigUint64(INODE_OFFSET, littleEndian));
      status.deviceMajor = view.getUint32(DEVICE_MAJOR_OFFSET, littleEndian);
      status.deviceMinor = view.getUint32(DEVICE_MINOR_OFFSET, littleEndian);
      return true;
    },
    hasKnownFilesystem(fd, status) {
      const device = status.deviceMajor * 2 ** 20 + status.deviceMinor;
      if (knownDevices.has(device)) return true;
      if (fstatfs(fd, filesystem) !== 0) return false;
      // The first word is 32 bits of magic, in a long: its low half is what the list has, whatever the byte order.
      const low = littleEndian ? 0 : 4;
      const isKnown = KNOWN_FILESYSTEMS.has(new DataView(filesystem.buffer).getUint32(low, littleEndian));
      // A number of a real device stays with what is on it; that of tmpfs or overlayfs may be procfs's after an unmount.
      if (isKnown && status.deviceMajor !== 0) knownDevices.add(device);
      return isKnown;
    },
  };
}
