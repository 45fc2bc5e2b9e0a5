import { fdOf } from '../../native/sockets/handle-fd.js';
import { setTimeout } from '../../node/clock.js';
import { outgoingRecord } from '../../report/socket-record.js';
import { ConnectionList, endConnection, type PeerConnection } from '../peers/connection.js';
import type { OutgoingTuning } from './outgoing-tuning.js';
import { setHandleTuning } from './tuning.js';

/** How long a connection is left as it is. Most are over by then, and cost nothing. */
const DELAY_MS = 1000;

/** Of the time for a dead peer: where that is short, so is the delay. */
const DELAY_SHARE = 1 / 20;

const flag = new Int32Array(1);

/** Whether the app, or its http.Agent, has asked for keepalive. Node sets it on the handle, and no call shows. */
function isKeptAlive({ platform }: OutgoingTuning, { handle }: PeerConnection): boolean {
  const { SO_KEEPALIVE: constant } = platform.constants;
  return constant !== undefined && platform.get(handle, constant, flag) === 0 && flag[0] !== 0;
}

/**
 * Sets the guard on outgoing connections that have lived for a while: several at a time, and none of a process that connects for a
 * moment. So koffi is not loaded for these either.
 */
export class OutgoingGuard {
  readonly #tuning: () => OutgoingTuning;
  readonly #delay: number;
  readonly #young = new ConnectionList();
  #isWaiting = false;

  /** @param tuning is called for the first connection that needs it, as it loads koffi */
  constructor(tuning: () => OutgoingTuning, deadPeer: number | undefined) {
    this.#tuning = tuning;
    this.#delay = deadPeer === undefined ? DELAY_MS : Math.min(DELAY_MS, deadPeer * 1000 * DELAY_SHARE);
  }

  add(connection: PeerConnection): void {
    this.#young.add(connection);
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    setTimeout(() => this.#armAll(), this.#delay).unref();
  }

  close(): void {
    this.#young.each((connection) => this.#young.remove(connection));
  }

  #armAll(): void {
    this.#isWaiting = false;
    this.#young.each((connection) => this.#arm(connection));
  }

  #arm(connection: PeerConnection): void {
    const { handle, owner } = connection;
    this.#young.remove(connection);
    if (fdOf(handle) < 0) return endConnection(connection);
    const tuning = this.#tuning();
    tuning.setOnceConnected(handle, owner, isKeptAlive(tuning, connection));
    setHandleTuning(handle, tuning);
    outgoingRecord.sockets++;
    tuning.watch()?.add(connection);
  }
}
