import { isLittleEndian } from '../endianness.js';
import type { Libc } from '../libc.js';
import type { FileCalls, FileStatus } from '../platform.js';

/** Flags and offsets of `struct statx`, equal on every architecture: include/uapi/linux/stat.h, include/uapi/linux/fcntl.h. */
const AT_EMPTY_PATH = 0x1000;
const AT_STATX_DONT_SYNC = 0x4000;
const STATX_TYPE = 0x1;
const STATX_INO = 0x100;
const STATX_SIZE = 0x200;
/** Since kernel 6.8. */
const STATX_MNT_ID_UNIQUE = 0x4000;
const WANTED = STATX_TYPE | STATX_INO | STATX_SIZE;
const MASK_OFFSET = 0;
const MODE_OFFSET = 28;
const INODE_OFFSET = 32;
const SIZE_OFFSET = 40;
const DEVICE_MAJOR_OFFSET = 136;
const DEVICE_MINOR_OFFSET = 140;
const MOUNT_OFFSET = 144;
const STATX_BYTES = 256;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

/** Room for `struct statfs`, whose first word is f_type: statfs(2). */
const STATFS_BYTES = 256;

/**
 * File systems with true file sizes and a page cache; the numbers are those of statfs(2). Some others generate files on read
 * (proc, sysfs). Some wait for a network or a user process, which would block the event loop.
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
 * A number that only one file system ever has; undefined if the kernel offers none. A real device keeps its number. The number of
 * tmpfs or overlayfs may go to another file system after an unmount.
 */
function filesystemId({ mount, deviceMajor, deviceMinor }: FileStatus): number | undefined {
  // Mount ids are positive and devices negative here, so the two never collide.
  if (mount !== 0) return mount;
  return deviceMajor === 0 ? undefined : -(deviceMajor * 2 ** 20 + deviceMinor);
}

type StatusCalls = Pick<FileCalls, 'status' | 'hasKnownFilesystem' | 'isOnKnownFilesystem'> & {
  /** Status from the kernel's own cache: no question to a server, or to the process behind a FUSE mount. */
  readonly cachedStatus: FileCalls['status'];
};

/** statx(2) and fstatfs(2). Any error (EBADF, ENOSYS before kernel 4.11, EIO) means `false`: Node serves the file. */
export function statusCalls(libc: Libc): StatusCalls {
  const statx = libc.bind<(fd: number, path: Uint8Array, flags: number, mask: number, out: DataView) => number>(
    'int statx(int fd, const void *path, int flags, unsigned int mask, void *out)',
  );
  const fstatfs = libc.bind<(fd: number, out: Uint8Array) => number>('int fstatfs(int fd, void *out)');
  const emptyPath = new Uint8Array(1);
  const view = new DataView(new ArrayBuffer(STATX_BYTES));
  const filesystem = new Uint8Array(STATFS_BYTES);
  const remembered = new Set<number>();

  // Two halves: a BigInt would allocate an object per call.
  const uint64 = (offset: number): number => {
    const [low, high] = isLittleEndian ? [offset, offset + 4] : [offset + 4, offset];
    return view.getUint32(low, isLittleEndian) + view.getUint32(high, isLittleEndian) * 2 ** 32;
  };
  const readStatus = (fd: number, status: FileStatus, flags: number): boolean => {
    if (statx(fd, emptyPath, AT_EMPTY_PATH | flags, WANTED | STATX_MNT_ID_UNIQUE, view) !== 0) return false;
    const mask = view.getUint32(MASK_OFFSET, isLittleEndian);
    if ((mask & WANTED) !== WANTED) return false;
    status.regular = (view.getUint16(MODE_OFFSET, isLittleEndian) & S_IFMT) === S_IFREG;
    status.size = uint64(SIZE_OFFSET);
    status.inode = uint64(INODE_OFFSET);
    status.deviceMajor = view.getUint32(DEVICE_MAJOR_OFFSET, isLittleEndian);
    status.deviceMinor = view.getUint32(DEVICE_MINOR_OFFSET, isLittleEndian);
    status.mount = (mask & STATX_MNT_ID_UNIQUE) === 0 ? 0 : uint64(MOUNT_OFFSET);
    return true;
  };
  const isRemembered = (status: FileStatus): boolean => {
    const id = filesystemId(status);
    return id !== undefined && remembered.has(id);
  };

  return {
    status: (fd, status) => readStatus(fd, status, 0),
    cachedStatus: (fd, status) => readStatus(fd, status, AT_STATX_DONT_SYNC),
    isOnKnownFilesystem: isRemembered,
    hasKnownFilesystem(fd, status) {
      if (isRemembered(status)) return true;
      if (fstatfs(fd, filesystem) !== 0) return false;
      // f_type is a long, whose low half is the magic number.
      const low = isLittleEndian ? 0 : 4;
      if (!KNOWN_FILESYSTEMS.has(new DataView(filesystem.buffer).getUint32(low, isLittleEndian))) return false;
      const id = filesystemId(status);
      if (id !== undefined) remembered.add(id);
      return true;
    },
  };
}
