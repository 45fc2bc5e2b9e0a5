import { sendToPrimary } from '../../node/cluster.js';
import type { ListenHandle } from '../../node/net.js';
import { beforeClose } from '../../node/patch/net.js';
import type { ListenerRecord } from '../../report/listener-record.js';

/** The message by which a worker reports its accepted connections to the primary. A primary without the preload ignores it. */
export const ACCEPTED = 'socket-tune:accepted';

const INTERVAL_MS = 1000;

/** Listeners of this worker, with the counts that were sent last. */
const sentCounts = new Map<ListenerRecord, number>();
let timer: NodeJS.Timeout | undefined;

function sendCounts(): void {
  for (const [record, sent] of sentCounts) {
    if (sent === record.connections || !sendToPrimary(ACCEPTED, record.address, record.connections)) continue;
    sentCounts.set(record, record.connections);
  }
}

/** Report to the primary how many connections a listener of this worker accepts: once a second, and when it closes. */
export function countForPrimary(record: ListenerRecord, handle: ListenHandle): void {
  timer ??= setInterval(sendCounts, INTERVAL_MS).unref();
  sentCounts.set(record, 0);
  beforeClose(handle, (close) => {
    sendCounts();
    sentCounts.delete(record);
    if (sentCounts.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
    close();
  });
}
