import { join } from 'node:path';
import { makeCertificate } from '../../test/support/sockets/certificate.js';
import { hasProgram } from '../machine.js';
import type { ProxyName } from '../proxies/start.js';
import { http1, http2, http2Secure, https } from './client.js';
import type { Amount, Outcome } from './load.js';
import { pm2Program, underPm2 } from './pm2.js';
import { replaceTheOne, restartOneOfTwo, rollOut } from './rollout.js';
import type { Subject } from './subject.js';

/** Something to run once stock and once with DRAIN. */
export interface Lane {
  readonly subject: Subject;
  /** How requests come to it, and how it is restarted. */
  readonly way: string;
  /** Of the lane with DRAIN, besides it. */
  readonly variables?: Readonly<Record<string, string>>;
  /** @param directory for files of this run alone */
  run(subject: Subject, amount: Amount, directory: string): Promise<Outcome>;
}

/** What measures some lanes: it says why some are missing. */
export interface Lanes {
  readonly lanes: readonly Lane[];
  readonly notes: readonly string[];
}

const HTTP1: readonly Subject[] = [false, true].flatMap((hasHandler) =>
  ['http', 'express', 'fastify'].map((kind) => ({ kind, hasHandler, client: http1 })),
);

function secureSubjects(scratch: string): Subject[] {
  if (!hasProgram('openssl')) return [];
  const certificate = makeCertificate(scratch);
  return [false, true].flatMap((hasHandler) => [
    { kind: 'https', hasHandler, client: https, certificate },
    { kind: 'h2, TLS', hasHandler, client: http2Secure, certificate },
  ]);
}

/** Taken off the list of servers so late, in milliseconds. */
const LATE = 2000;

const late: Lane = {
  subject: { kind: 'http', hasHandler: false, client: http1 },
  way: `off the list ${LATE / 1000} s late`,
  // It goes on accepting for longer than that.
  variables: { SOCKET_TUNE_DRAIN_DELAY: `${LATE + 500}ms` },
  run: (subject, amount) => rollOut(subject, amount, LATE),
};

/** Clients of each protocol, that choose a server by themselves. */
export function directLanes(scratch: string): Lanes {
  const plain: Subject[] = [false, true].map((hasHandler) => ({ kind: 'h2c', hasHandler, client: http2 }));
  const secure = secureSubjects(scratch);
  const lanes = [...HTTP1, ...plain, ...secure].map(
    (subject): Lane => ({ subject, way: 'direct', run: (one, amount) => rollOut(one, amount) }),
  );
  return {
    lanes: [...lanes, late],
    notes: secure.length === 0 ? ['openssl is not installed: nothing with TLS'] : [],
  };
}

/** A proxy with two servers, and with one. */
export function proxyLanes(): Lanes {
  const proxies = (['nginx', 'haproxy'] as const).filter(hasProgram);
  const behind = (proxy: ProxyName): Lane[] => [
    ...HTTP1.map(
      (subject): Lane => ({
        subject,
        way: `${proxy}, 2 upstreams`,
        run: (one, amount, directory) => restartOneOfTwo(proxy, one, amount, directory),
      }),
    ),
    {
      subject: { kind: 'http', hasHandler: false, client: http1 },
      way: `${proxy}, 1 upstream`,
      variables: { SOCKET_TUNE_REUSEPORT: 'on' },
      run: (one, amount, directory) => replaceTheOne(proxy, one, amount, directory),
    },
  ];
  const missing = (['nginx', 'haproxy'] as const).filter((proxy) => !proxies.includes(proxy));
  return { lanes: proxies.flatMap(behind), notes: missing.map((proxy) => `${proxy} is not installed`) };
}

/** Clusters: one that is told to end as a whole, and one whose workers pm2 replaces. */
export function clusterLanes(): Lanes {
  const subjects = (kind: string): Subject[] =>
    [false, true].map((hasHandler) => ({ kind, hasHandler, client: http1 }));
  const pm2 = pm2Program();
  const byPm2 = (program: string): Lane[] =>
    subjects('http').flatMap((subject) =>
      (['reload', 'restart'] as const).map((act) => ({
        subject,
        way: `pm2 ${act}`,
        run: (one, amount, directory) => underPm2(program, act, one, amount, join(directory, 'pm2')),
      })),
    );
  const whole = subjects('cluster').map(
    (subject): Lane => ({ subject, way: 'direct', run: (one, amount) => rollOut(one, amount) }),
  );
  return {
    lanes: [...whole, ...(pm2 === undefined ? [] : byPm2(pm2))],
    notes: pm2 === undefined ? ['pm2 is not to be had'] : [],
  };
}
