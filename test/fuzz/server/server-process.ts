import { join } from 'node:path';
import { AppProcess } from '../run/app-process.js';
import type { Session } from '../session/program.js';
import type { FromServer, Places, Served, ToServer } from './messages.js';

/** The process that serves the sessions. */
export class ServerProcess {
  readonly app: AppProcess<FromServer, ToServer>;
  readonly places: Promise<Places>;

  constructor(directory: string, isTuned: boolean) {
    this.app = new AppProcess(join(import.meta.dirname, 'server.js'), directory, isTuned);
    this.places = this.app.next('listening', () => true).then(({ places }) => places);
  }

  async prepare(number: number, directory: string, session: Session): Promise<void> {
    const ready = this.app.next('ready', (message) => message.number === number);
    this.app.tell({ type: 'session', number, directory, session });
    await ready;
  }

  async finish(number: number): Promise<Served> {
    const finished = this.app.next('finished', (message) => message.number === number);
    this.app.tell({ type: 'finish', number });
    return (await finished).served;
  }
}
