import { join } from 'node:path';
import { AppProcess } from '../run/app-process.js';
import { patiently } from '../run/patience.js';
import type { FromProxy, LineRecord, Place, ToProxy } from './messages.js';
import type { SessionPlan } from './plan.js';
import { noRecord } from './proxy-line.js';

/** Seconds for an answer. */
const PATIENCE = 15;

/** A line that the proxy is ready for. */
export interface ProxiedLine {
  /** Where its source listens. */
  readonly place: Place;
  readonly closed: Promise<LineRecord>;
  /** Closes it, as it hangs. A proxy whose event loop hangs does not answer. */
  abandon(): Promise<LineRecord>;
}

/** The process of the proxy. */
export class ProxyProcess {
  readonly app: AppProcess<FromProxy, ToProxy>;

  constructor(directory: string, isTuned: boolean) {
    const settings = { SOCKET_TUNE_SPLICE: 'auto' };
    this.app = new AppProcess(join(import.meta.dirname, 'proxy.js'), directory, isTuned, settings);
  }

  async prepare(
    number: number,
    plan: SessionPlan,
    receivers: readonly (readonly Place[])[],
  ): Promise<readonly ProxiedLine[]> {
    const ready = this.app.next('ready', (message) => message.number === number);
    this.app.tell({ type: 'session', number, plan, receivers });
    const { places } = await ready;
    return places.map((place, line) => {
      const isIt = (message: { number: number; line: number }): boolean =>
        message.number === number && message.line === line;
      const closed = this.app.next('closed', isIt).then(({ record }) => record);
      const abandon = (): Promise<LineRecord> => {
        this.app.tell({ type: 'abandon', number, line });
        const giveUp = (problem: string): LineRecord => ({ ...noRecord(), problems: [problem] });
        return patiently(closed, PATIENCE, () => 'the proxy does not answer', giveUp);
      };
      return { place, closed, abandon };
    });
  }
}
