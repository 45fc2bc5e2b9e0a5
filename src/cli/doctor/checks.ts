import { describeProblem } from '../../config/config.js';
import { hasPermissionModel } from '../../native/index.js';
import { isOlder, versionOf } from '../../native/version.js';
import { sharesPort } from '../../options/listener-needs.js';
import { lookAtAcceptQueues } from './accept-queues.js';
import {
  atLeast,
  type Check,
  type CheckResult,
  type Circumstances,
  greatest,
  lack,
  scopesOf,
  sysctlResult,
  tooNew,
  unknown,
} from './check.js';
import { lookAtLeaving } from './leaving.js';
import { lookAtSharedPorts } from './shared-ports.js';
import { lookAtFront } from './surroundings.js';

/** As `engines` in package.json: these can require() ES modules. Node 21 cannot. */
const LEAST_NODES: readonly string[] = ['20.19', '22.12'];

/** Since then: preadv2 with RWF_NOWAIT on every file system, and openat2 with RESOLVE_CACHED. The file path uses both. */
const COMFORTABLE_KERNEL = '5.12';

/** A connection with a round trip of 100 ms needs this for 40 MB/s. It is the kernel's default on a machine with enough memory. */
const COMFORTABLE_CEILING = 4 << 20;

/** Descriptors of files and sockets together. */
const COMFORTABLE_FILES = 16_384;

/** What lets the permission model load native code. */
const WITH_ADDONS = 'node --permission --allow-addons …';

/** Who forgets an idle connection without telling, and after how many seconds. */
const FORGETTING: readonly (readonly [who: string, seconds: number])[] = [
  ['Azure', 240],
  ['AWS’s NLB and NAT gateway', 350],
];

function fastOpen(circumstances: Circumstances): CheckResult {
  const scopes = scopesOf(circumstances);
  const server = scopes.some((scope) => scope.fastOpen !== undefined) ? 2 : 0;
  const client = scopes.some((scope) => scope.fastOpenConnect) ? 1 : 0;
  const bits = server | client;
  return sysctlResult(circumstances, 'net.ipv4.tcp_fastopen', ([value = 0]) =>
    (value & bits) === bits
      ? { verdict: 'ok' }
      : { verdict: lack(circumstances, 'fastOpen', 'fastOpenConnect'), wanted: String(value | bits) },
  );
}

function fastOpenKey(circumstances: Circumstances): CheckResult {
  const key = circumstances.machine.sysctl('net.ipv4.tcp_fastopen_key')?.[0];
  if (key === undefined) return unknown();
  // The kernel makes a key at the first use of FASTOPEN. Until then it is zero.
  return { value: /^[0-]+$/.test(key) ? 'none yet' : 'set', verdict: 'ok' };
}

/** The kernel cuts a buffer to the limit. A floor below the autotuning ceiling is not set, so it needs no limit. */
function buffer(
  circumstances: Circumstances,
  limit: string,
  tcp: 'receiveBuffer' | 'sendBuffer',
  udp: 'udpReceiveBuffer' | 'udpSendBuffer',
): CheckResult {
  const direction = tcp === 'receiveBuffer' ? 'receive' : 'send';
  const grown = circumstances.platform.autotuningCeiling(direction) ?? 0;
  const isExact = circumstances.environment.config.bufferMode === 'exact';
  const wanted = greatest(circumstances, tcp) ?? 0;
  const least = Math.max(isExact || wanted > grown ? wanted : 0, greatest(circumstances, udp) ?? 0);
  return atLeast(circumstances, limit, least, tcp, udp);
}

function ceiling(circumstances: Circumstances, name: string): CheckResult {
  return sysctlResult(circumstances, name, ([least = 4096, initial = 131_072, most = 0]) =>
    most >= COMFORTABLE_CEILING
      ? { verdict: 'ok' }
      : { verdict: 'advice', wanted: `${least} ${initial} ${COMFORTABLE_CEILING}` },
  );
}

function migration(circumstances: Circumstances): CheckResult {
  const isShared = scopesOf(circumstances).some(sharesPort);
  return sysctlResult(circumstances, 'net.ipv4.tcp_migrate_req', ([value = 0]) =>
    value === 1 || !isShared ? { verdict: 'ok' } : { verdict: 'advice', wanted: '1' },
  );
}

/** The names that CONGESTION has in the configuration, each once. */
function wantedCongestion(circumstances: Circumstances): readonly string[] {
  return [...new Set(scopesOf(circumstances).flatMap((scope) => scope.congestionControl ?? []))];
}

function congestion(circumstances: Circumstances): CheckResult {
  const { machine } = circumstances;
  const available = machine.sysctl('net.ipv4.tcp_available_congestion_control');
  if (available === undefined) return unknown();
  const lacking = wantedCongestion(circumstances).filter((name) => !available.includes(name));
  if (lacking.length === 0) return { value: available.join(' '), verdict: 'ok' };
  const value = `${lacking.join(', ')} is not available; available are ${available.join(', ')}`;
  const modules = lacking.map((name) => `tcp_${name}`);
  if (modules.every((name) => machine.hasModule(name) !== false)) {
    return { value, verdict: 'missing', mend: modules.map((name) => `modprobe ${name}`).join(' && ') };
  }
  const [own = available[0]] = machine.sysctl('net.ipv4.tcp_congestion_control') ?? [];
  return {
    value: `${value}, and this kernel has no module for it`,
    verdict: 'missing',
    mend: `SOCKET_TUNE_CONGESTION=${own}`,
  };
}

function allowedCongestion(circumstances: Circumstances): CheckResult {
  const allowed = circumstances.machine.sysctl('net.ipv4.tcp_allowed_congestion_control');
  if (allowed === undefined) return unknown();
  const wanted = wantedCongestion(circumstances);
  const value = allowed.join(' ');
  // With CAP_NET_ADMIN a process may choose any that is available.
  if (process.geteuid?.() === 0 || wanted.every((name) => allowed.includes(name))) return { value, verdict: 'ok' };
  const all = [...new Set([...allowed, ...wanted])].join(' ');
  return { value, verdict: 'missing', mend: `sysctl -w 'net.ipv4.tcp_allowed_congestion_control=${all}'` };
}

function openFiles({ machine }: Circumstances): CheckResult {
  if (machine.openFiles === undefined) return unknown();
  const [soft, hard] = machine.openFiles;
  const value = `${soft}, at most ${hard}`;
  if (soft === 'unlimited' || Number(soft) >= COMFORTABLE_FILES) return { value, verdict: 'ok' };
  return { value, verdict: 'advice', mend: `ulimit -n ${hard === 'unlimited' ? 65_536 : hard}` };
}

function kernel(circumstances: Circumstances): CheckResult {
  const { kernel: release } = circumstances.machine;
  if (release === undefined) return unknown();
  const lacking = tooNew(circumstances);
  if (lacking !== undefined) {
    return { value: `${release}: ${lacking.names.join(', ')} needs ${lacking.since}`, verdict: 'missing' };
  }
  const isOld = isOlder(versionOf(release), versionOf(COMFORTABLE_KERNEL));
  return { value: release, verdict: isOld ? 'advice' : 'ok' };
}

function native({ platform }: Circumstances): CheckResult {
  const { unavailable } = platform;
  if (unavailable === undefined) return { value: 'they work', verdict: 'ok' };
  const mend = hasPermissionModel() ? WITH_ADDONS : 'npm install --include=optional';
  return { value: unavailable, verdict: 'missing', mend };
}

function permission({ environment, platform }: Circumstances): CheckResult {
  if (!hasPermissionModel()) return { value: 'off', verdict: 'ok' };
  if (platform.unavailable === undefined) return { value: 'on, and native code may be loaded', verdict: 'ok' };
  const isAsked = environment.asked.size > 0;
  return { value: 'on: native code is not loaded', verdict: isAsked ? 'missing' : 'advice', mend: WITH_ADDONS };
}

function idle(circumstances: Circumstances): CheckResult {
  const { config } = circumstances.environment;
  if (!config.keepAlive) return { value: 'no keepalive', verdict: 'advice', mend: 'SOCKET_TUNE_KEEPALIVE=on' };
  const longest = greatest(circumstances, 'keepAliveIdle') ?? 7200;
  const forget = FORGETTING.filter(([, seconds]) => longest >= seconds);
  if (forget.length === 0) return { value: `${longest} s`, verdict: 'ok' };
  const who = forget.map(([name, seconds]) => `${name} after ${seconds} s`).join(', ');
  return {
    value: `${longest} s; forgotten by ${who}`,
    verdict: 'advice',
    mend: 'SOCKET_TUNE_KEEPALIVE_IDLE=60s',
  };
}

function nodeVersion({ node }: Circumstances): CheckResult {
  const version = versionOf(node);
  const least = LEAST_NODES.map(versionOf);
  const isSupported = least.some((each, index) => {
    const isNewest = index === least.length - 1;
    return !isOlder(version, each) && (isNewest || version[0] === each[0]);
  });
  return { value: node, verdict: isSupported ? 'ok' : 'missing' };
}

/** What is set, and not understood, is not in the configuration: the other checks do not see it. */
function variables({ environment: { problems } }: Circumstances): CheckResult {
  if (problems.length === 0) return { value: 'all are understood', verdict: 'ok' };
  return { value: problems.map(describeProblem).join('; '), verdict: 'missing' };
}

/** All checks, in the order of the output. */
export const CHECKS: readonly Check[] = [
  {
    name: 'variables',
    why: 'A variable that is not understood has no effect. With SOCKET_TUNE_STRICT=on it ends the process.',
    look: variables,
  },
  { name: 'Node', why: `socket-tune needs Node ${LEAST_NODES.join(', or ')} and later.`, look: nodeVersion },
  {
    name: 'kernel',
    why: 'Some options need a later kernel. One that lacks RESOLVE_CACHED (5.12, or backported) opens small files in the thread pool.',
    look: kernel,
  },
  {
    name: 'native calls',
    why: 'Options are set, and files sent, by native calls. Without them only NODELAY and keepalive are set.',
    look: native,
  },
  {
    name: 'permission model',
    why: 'With --permission and without --allow-addons Node loads no native code.',
    look: permission,
  },
  {
    name: 'net.ipv4.tcp_fastopen',
    why: 'Without its bit, FASTOPEN is set but has no effect: bit 1 is for clients, bit 2 for servers.',
    look: fastOpen,
  },
  {
    name: 'net.ipv4.tcp_fastopen_key',
    why: 'Servers behind one address take each other’s FASTOPEN cookies only if they have the same key.',
    look: fastOpenKey,
  },
  {
    name: 'net.core.rmem_max',
    why: 'This is the limit for receive buffers that an app sets.',
    look: (circumstances) => buffer(circumstances, 'net.core.rmem_max', 'receiveBuffer', 'udpReceiveBuffer'),
  },
  {
    name: 'net.core.wmem_max',
    why: 'This is the limit for send buffers that an app sets.',
    look: (circumstances) => buffer(circumstances, 'net.core.wmem_max', 'sendBuffer', 'udpSendBuffer'),
  },
  {
    name: 'net.ipv4.tcp_rmem',
    why: 'The kernel grows receive buffers up to the third number. On long paths this number limits uploads.',
    look: (circumstances) => ceiling(circumstances, 'net.ipv4.tcp_rmem'),
  },
  {
    name: 'net.ipv4.tcp_wmem',
    why: 'The kernel grows send buffers up to the third number. On long paths this number limits downloads.',
    look: (circumstances) => ceiling(circumstances, 'net.ipv4.tcp_wmem'),
  },
  {
    name: 'net.ipv4.tcp_moderate_rcvbuf',
    why: 'The kernel grows receive buffers by itself only if this is 1. Then we leave them to the kernel.',
    look: (circumstances) => atLeast(circumstances, 'net.ipv4.tcp_moderate_rcvbuf', 1),
  },
  {
    name: 'net.core.somaxconn',
    why: 'This is the limit for the backlog of a listener. In a burst, connections beyond the backlog are dropped.',
    look: (circumstances) =>
      atLeast(circumstances, 'net.core.somaxconn', greatest(circumstances, 'backlog'), 'backlog'),
  },
  {
    name: 'net.ipv4.tcp_max_syn_backlog',
    why: 'Handshakes beyond this number are answered with SYN cookies, which lose options of TCP.',
    look: (circumstances) => atLeast(circumstances, 'net.ipv4.tcp_max_syn_backlog', 1024),
  },
  {
    name: 'accept queues',
    why: 'At an overflow the accept queue was full: the app accepts too slowly, or its backlog is too small. The report names the listener. Drops have other causes too.',
    look: lookAtAcceptQueues,
  },
  {
    name: 'net.ipv4.tcp_migrate_req',
    why: 'With 1, connections of a process that dies go to other processes on its port (REUSEPORT). With 0, only those of a process that closes do.',
    look: migration,
  },
  {
    name: 'shared ports',
    why: 'One of the processes that share a port may have far more connections than the others.',
    look: lookAtSharedPorts,
  },
  {
    name: 'congestion control',
    why: 'The kernel must have the congestion control that CONGESTION names.',
    look: congestion,
  },
  {
    name: 'allowed congestion control',
    why: 'The congestion controls that a process without CAP_NET_ADMIN may choose.',
    look: allowedCongestion,
  },
  {
    name: 'net.ipv4.tcp_notsent_lowat',
    why: 'Unsent bytes that every socket may queue. NOTSENT_LOWAT sets it for the app’s sockets only.',
    look: (circumstances) => sysctlResult(circumstances, 'net.ipv4.tcp_notsent_lowat', () => ({ verdict: 'ok' })),
  },
  {
    name: 'open files',
    why: 'Every connection, and every file that is being sent, needs a descriptor.',
    look: openFiles,
  },
  {
    name: 'keepalive idle',
    why: 'Load balancers forget idle connections without notice: after 240 s at Azure, 350 s behind AWS’s NLB.',
    look: idle,
  },
  {
    name: 'proxy in front',
    why: 'If the app closes an idle connection first, a request that is on its way is lost. So the proxy must close first.',
    look: lookAtFront,
  },
  {
    name: 'shutdown',
    why: 'A pod still gets requests for some seconds after SIGTERM, and is killed when its grace period is over.',
    look: lookAtLeaving,
  },
];
