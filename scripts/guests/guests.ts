/** The places where the package is tried: a row each. */

export type Architecture = 'amd64' | 'arm64';

/** A kernel of Debian's. */
export interface Kernel {
  readonly suite: string;
  /** The package that depends on the newest kernel of its kind. */
  readonly package: string;
  /** Modules of the disk and its file system, in the order of their loading, where the kernel does not have them built in. */
  readonly modules?: readonly string[];
  /** Words for the kernel's command line. */
  readonly parameters?: readonly string[];
}

interface Common {
  readonly name: string;
  /** For the table: what is there. */
  readonly what: string;
  /** Major versions of Node. */
  readonly nodes: readonly number[];
  /** Options that it does not have, by their names in the headers. */
  readonly lacks: readonly string[];
  /** Lines that the app may have on its standard error. */
  readonly mayWarn?: RegExp;
}

export interface EmulatedGuest extends Common {
  readonly machine: 'qemu';
  readonly architecture: Architecture;
  readonly kernel: Kernel;
}

/** `here`: this machine. `wine`: Windows programs on this machine. */
export interface LocalGuest extends Common {
  readonly machine: 'here' | 'wine';
}

export type Guest = EmulatedGuest | LocalGuest;

/** No Linux has it. */
const MAC_ONLY = ['SO_NOSIGPIPE'];

/** Linux has them from 6.15 on. */
const SINCE_6_15 = ['TCP_DELACK_MAX_US', 'TCP_RTO_MIN_US', 'TCP_RTO_MAX_MS'];

const BEFORE_6_15 = [...SINCE_6_15, ...MAC_ONLY];

/** Debian's kernels for clouds have NVMe disks and ext4 built in, and are small. */
const CLOUD_AMD64 = 'linux-image-cloud-amd64';

/** The first one is what CI runs. */
export const GUESTS: readonly Guest[] = [
  {
    name: 'linux-6.1',
    what: 'Debian 12',
    machine: 'qemu',
    architecture: 'amd64',
    kernel: { suite: 'bookworm', package: CLOUD_AMD64 },
    nodes: [20, 22],
    lacks: BEFORE_6_15,
  },
  {
    name: 'linux-5.10',
    what: 'Debian 11',
    machine: 'qemu',
    architecture: 'amd64',
    kernel: { suite: 'bullseye', package: CLOUD_AMD64 },
    nodes: [20, 26],
    lacks: BEFORE_6_15,
  },
  {
    name: 'linux-6.12',
    what: 'Debian 13',
    machine: 'qemu',
    architecture: 'amd64',
    kernel: { suite: 'trixie', package: CLOUD_AMD64 },
    nodes: [24],
    lacks: BEFORE_6_15,
  },
  {
    name: 'linux-sid',
    what: 'Debian unstable',
    machine: 'qemu',
    architecture: 'amd64',
    kernel: { suite: 'sid', package: CLOUD_AMD64 },
    nodes: [26],
    lacks: MAC_ONLY,
  },
  {
    name: 'no-ipv6',
    what: 'Debian 12 without IPv6 (`ipv6.disable=1`)',
    machine: 'qemu',
    architecture: 'amd64',
    kernel: { suite: 'bookworm', package: CLOUD_AMD64, parameters: ['ipv6.disable=1'] },
    nodes: [20],
    lacks: [...BEFORE_6_15, 'IPV6_TCLASS'],
  },
  {
    name: 'arm64',
    what: 'Debian 13, pages of 4 KB',
    machine: 'qemu',
    architecture: 'arm64',
    kernel: { suite: 'trixie', package: 'linux-image-cloud-arm64' },
    nodes: [20, 26],
    lacks: BEFORE_6_15,
  },
  {
    name: 'arm64-16k',
    what: 'Debian 13, pages of 16 KB',
    machine: 'qemu',
    architecture: 'arm64',
    kernel: {
      suite: 'trixie',
      package: 'linux-image-arm64-16k',
      modules: ['nvme-auth', 'nvme-core', 'nvme', 'crc16', 'mbcache', 'jbd2', 'crc32c_generic', 'ext4'],
    },
    nodes: [24],
    lacks: BEFORE_6_15,
  },
  { name: 'here', what: 'the machine that runs the tests', machine: 'here', nodes: [20, 22, 24, 26], lacks: MAC_ONLY },
  {
    name: 'windows',
    what: 'Windows programs in wine',
    machine: 'wine',
    nodes: [20, 22],
    lacks: [],
    // Wine knows no keepalive: Node's own setKeepAlive() fails there.
    mayWarn: /(SO_KEEPALIVE|TCP_KEEPIDLE)=.* is refused: errno 4094|--trace-warnings/,
  },
];
