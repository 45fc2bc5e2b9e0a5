import { LineProgram } from './line-program.js';
import { ip, makeNamespaces, setCongestionControl } from './namespaces.js';

/** Properties of a network path, equal in both directions. */
export interface LinkRecord {
  readonly roundTripMs: number;
  readonly rateMbit: number;
  readonly lossPercent: number;
  /** Congestion control of both ends. Nearly every Linux has cubic. */
  readonly congestionControl: 'cubic' | 'bbr';
}

/** Fates of the packets of both directions. */
export interface LinkCounts {
  readonly carried: number;
  readonly lost: number;
  /** Packets dropped by a full queue. */
  readonly overflowed: number;
  /** 99th percentile of the lateness of packets. */
  readonly lateMs: number;
}

/** Addresses of the block for benchmarks (RFC 2544). Each link has its own namespaces, so all use the same. */
export const SERVER_ADDRESS = '198.18.0.1';
const CLIENT_ADDRESS = '198.18.0.2';

const DEVICE = 'link0';
/** Queue of the device: longer than any burst of a server, so only the link's own queue drops packets. */
const DEVICE_QUEUE = 20_000;
/** Queue of a link: the bandwidth-delay product, the traditional rule, but at least 64 packets. */
const LEAST_QUEUE = 64 * 1500;

function queueBytes({ roundTripMs, rateMbit }: LinkRecord): number {
  return Math.max(LEAST_QUEUE, Math.round((roundTripMs * rateMbit * 1000) / 8));
}

/** Two machines with a path between them. */
export class Link {
  readonly #namespaces = makeNamespaces();
  readonly #program: LineProgram;
  #congestionControl = '';

  /** @param program compiled from link.c */
  constructor(program: string) {
    this.#program = new LineProgram([program, this.server, this.client, DEVICE]);
  }

  get server(): string {
    return this.#namespaces.server;
  }

  get client(): string {
    return this.#namespaces.client;
  }

  async open(): Promise<void> {
    const answer = await this.#program.line();
    if (answer !== 'ready') throw new Error(`link: ${answer}`);
    const ends = [
      [this.server, SERVER_ADDRESS],
      [this.client, CLIENT_ADDRESS],
    ] as const;
    for (const [namespace, address] of ends) {
      ip('-n', namespace, 'addr', 'add', `${address}/30`, 'dev', DEVICE);
      ip('-n', namespace, 'link', 'set', DEVICE, 'up', 'txqueuelen', String(DEVICE_QUEUE));
    }
  }

  /** Set the properties and empty the link. The same seed loses the same packets. */
  async set(record: LinkRecord, seed: number): Promise<void> {
    const { roundTripMs, rateMbit, lossPercent, congestionControl } = record;
    if (congestionControl !== this.#congestionControl) {
      setCongestionControl([this.server, this.client], congestionControl);
      this.#congestionControl = congestionControl;
    }
    const values = [roundTripMs * 5e5, rateMbit * 1e6, lossPercent * 1e4, queueBytes(record), seed];
    await this.#program.ask(`set ${values.map(Math.round).join(' ')}`);
  }

  /** Drop everything from now on, silently. */
  async cut(record: LinkRecord): Promise<void> {
    await this.set({ ...record, lossPercent: 100 }, 1);
  }

  /** Counts since the last set. */
  async counts(): Promise<LinkCounts> {
    const [, carried, lost, overflowed, late] = (await this.#program.ask('counts')).split(' ').map(Number);
    return { carried: carried ?? 0, lost: lost ?? 0, overflowed: overflowed ?? 0, lateMs: (late ?? 0) / 1e6 };
  }

  /** Drop the client's cookies of TCP_FASTOPEN. */
  forget(): void {
    ip('-n', this.client, 'tcp_metrics', 'flush');
  }

  close(): void {
    this.#program.stop();
    this.#namespaces.remove();
  }
}
