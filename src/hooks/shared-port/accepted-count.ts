import { sendToPrimary } from '../../node/cluster.js';
import type { ListenHandle } from '../../node/net.js';
import { beforeClose } from '../../node/patch/net.js';
import type { ListenerRecord } from '../../report/listener-record.js';

/** What a worker tells its primary, where both have socket-tune: connections that it has accepted. A stock primary ignores it. */
export const ACCEPTED = 'socket-tune:accepted';

const INTERVAL = 1000;

/** Listeners whose primary keeps count, and what it has been told. */
const told = new Map<ListenerRecord, number>();
let timer: NodeJS.Timeout | undefined;

function tell(): void {
  for (const [record, connections] of told) {
    if (connections === record.connections || !sendToPrimary(ACCEPTED, record.address, record.connections)) continue;
    told.set(record, record.connections);
  }
}

/** Have the primary of the cluster know how many connections this worker accepts, for its report: once a second, and when it closes. */
export function countForPrimary(record: ListenerRecord, handle: ListenHandle): void {
  timer ??= setInterval(tell, INTERVAL).unref();
  told.set(record, 0);
  beforeClose(handle, (close) => {
    tell();
    told.delete(record);
    if (told.size > 0) return close();
    clearInterval(timer);
    timer = undefined;
    close();
  });
}
