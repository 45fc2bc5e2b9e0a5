import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate } from '../../test/support/sockets/certificate.js';
import { withClient } from '../client.js';
import { type Load, loadOf, type Measured, measure, type Pace } from '../load.js';
import { type OpenClient, withLoadClients } from '../load-client.js';
import { leastBusy, tableOf } from '../load-figures.js';
import { hasProgram, unpin } from '../machine.js';
import { pool } from '../rounds.js';
import type { Effort, Result, Scenario } from '../scenario.js';
import { withScratch, writeBodies } from '../scratch.js';
import { withServers } from '../server.js';
import { comparisons, goalTable, type Measurement, nginxTables, waysTable } from './figures.js';
import { hasNext, publish } from './next.js';
import { lineupOf, type Place, takeReport, type Ways } from './servers.js';
import { FILES, NEXT, type Request, SUBJECTS, type Subject } from './subjects.js';

const CONNECTIONS = 8;

function paceOf({ quick }: Effort): Pace {
  return quick
    ? { rounds: 3, seconds: 1, round: { requests: 500, bytes: 5e7 }, warmUp: { requests: 3000, bytes: 2e8 } }
    : { rounds: 5, seconds: 3, round: { requests: 2000, bytes: 2e8 }, warmUp: { requests: 6000, bytes: 3e8 } };
}

/** Sets of processes, one after the other: a process keeps its luck for life. */
const setsFor = ({ quick }: Effort): number => (quick ? 1 : 2);

/** Name in tables. */
function fullName({ name, protocol }: Subject): string {
  return protocol === 'https' ? `${name}, https` : name;
}

function loadFor(subject: Subject, { body, label }: Request): Load {
  const name = `${fullName(subject)}, ${label}`;
  return loadOf({ x: body.bytes, label: name, body, connections: CONNECTIONS });
}

/** Clients of both protocols. */
interface Clients {
  readonly http: OpenClient;
  readonly https: OpenClient;
}

function withClients<T>(use: (clients: Clients) => Promise<T>): Promise<T> {
  return withClient(
    (client) => withLoadClients((http) => use({ http, https: (target) => client.openLoad(target) })),
    'frameworks/tls-client-process',
  );
}

/** All that is told of one subject. */
interface Found {
  readonly measurements: readonly Measurement[];
  readonly ways: Ways | undefined;
}

class Measuring {
  readonly #clients: Clients;
  readonly #place: Place;
  readonly #effort: Effort;
  readonly #hasNginx = hasProgram('nginx');

  constructor(clients: Clients, place: Place, effort: Effort) {
    this.#clients = clients;
    this.#place = place;
    this.#effort = effort;
  }

  async of(subject: Subject): Promise<Found> {
    const requests = subject.requests.filter(({ fullOnly }) => !(fullOnly && this.#effort.quick));
    const loads = requests.map((request) => loadFor(subject, request));
    const sets: Measured[][] = [];
    for (let set = 0; set < setsFor(this.#effort); set++) sets.push(await this.#set(subject, loads));
    const measurements = requests.map((request, index) => {
      const [load, samples] = [loads[index], sets.flatMap((set) => set[index]?.samples ?? [])];
      if (load === undefined) throw new Error('a request without a load');
      return { subject, request, measured: { load, samples: pool(samples) } };
    });
    return { measurements, ways: takeReport(this.#place) };
  }

  #set(subject: Subject, loads: readonly Load[]): Promise<Measured[]> {
    const withNginx = subject.besideNginx === true && this.#hasNginx;
    return withServers(lineupOf(subject, this.#place, withNginx), (contenders) => {
      for (const { server } of contenders) unpin(server.pid);
      return measure(this.#clients[subject.protocol], contenders, loads, paceOf(this.#effort));
    });
  }
}

/** What can be measured here, and why not the rest. */
function chosen({ quick }: Effort): { subjects: readonly Subject[]; missing: readonly string[] } {
  const [withNext, withTls] = [hasNext(!quick), hasProgram('openssl')];
  const next = quick ? 'a quick run does not install it' : 'npm could not install it, or it could not be built';
  return {
    subjects: [...SUBJECTS.filter(({ protocol }) => withTls || protocol !== 'https'), ...(withNext ? [NEXT] : [])],
    missing: [
      ...(withNext ? [] : [`Next is not there, and ${next}: it is left out`]),
      ...(withTls ? [] : ['openssl is not installed, so there is no certificate: no HTTPS']),
      ...(hasProgram('nginx') ? [] : ['nginx is not installed: no comparison with it']),
    ],
  };
}

/** The directories and files of a run. */
function placeIn(scratch: string, subjects: readonly Subject[]): Place {
  const files = join(scratch, 'files');
  mkdirSync(files);
  writeBodies(files, FILES);
  if (subjects.includes(NEXT)) publish(files);
  if (!subjects.some(({ protocol }) => protocol === 'https')) return { files, scratch };
  return { files, scratch, certificate: makeCertificate(scratch) };
}

/** For a table of all apps: nginx took part in the rounds of one only. */
function withoutNginx({ load, samples }: Measured): Measured {
  return { load, samples: new Map([...samples].filter(([name]) => name !== 'nginx')) };
}

function resultOf(found: ReadonlyMap<Subject, Found>, effort: Effort, missing: readonly string[]): Result {
  const all = [...found.values()].flatMap(({ measurements }) => measurements);
  const measured = all.map((one) => one.measured);
  const ways = new Map([...found].map(([subject, one]) => [fullName(subject), one.ways]));
  const [sets, { rounds }] = [setsFor(effort), paceOf(effort)];
  return {
    tables: [
      goalTable(all),
      ...nginxTables(all),
      tableOf('Requests per second', 'app and body', measured.map(withoutNginx), 'requestsPerSecond'),
      waysTable(ways),
    ],
    comparisons: comparisons(all),
    notes: [
      `${CONNECTIONS} connections, kept alive; servers on all cores, and the client on one of them; files in the page cache; medians of ${sets * rounds} interleaved rounds, of ${sets} ${sets === 1 ? 'process' : 'processes'} of each app`,
      'bare: fs.stat, then createReadStream().pipe(response); readFile: Fastify sends the whole file, read by one call',
      'JSON: an answer of Express that is no file, behind express.static, which looks for one first, and alone',
      'the client of HTTPS is a program of Node’s: it may be the limit, which changes no figure of CPU time by much',
      leastBusy(measured),
      ...missing,
    ],
  };
}

function run(effort: Effort): Promise<Result> {
  const { subjects, missing } = chosen(effort);
  return withScratch((scratch) => {
    const place = placeIn(scratch, subjects);
    return withClients(async (clients) => {
      const measuring = new Measuring(clients, place, effort);
      const found = new Map<Subject, Found>();
      for (const subject of subjects) found.set(subject, await measuring.of(subject));
      return resultOf(found, effort, missing);
    });
  });
}

export const frameworks: Scenario = {
  name: 'frameworks',
  what: 'files and small answers of apps as people write them: frameworks, HTTPS, whole files',
  run,
};
