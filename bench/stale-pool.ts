import { CLIENTS, isRunnable } from '../test/network/pool/clients.js';
import { CLOSINGS, type Figures, failures, runPool } from '../test/network/pool/stale-pool.js';
import type { Cell, Effort, Result, Scenario } from './scenario.js';
import { withScratch } from './scratch.js';

/** Preloads by the name of the contender. */
const APPS: Readonly<Record<string, readonly string[] | undefined>> = { stock: [], tuned: undefined };

function row(client: string, app: string, figures: readonly Figures[], stale: number | undefined): Cell[] {
  const sum = (by: keyof Pick<Figures, 'sent' | 'repeated'>): number =>
    figures.reduce((total, each) => total + each[by], 0);
  const failed = CLOSINGS.map((closing) => failures(figures.filter((each) => each.closing === closing)));
  return [client, app, sum('sent'), ...failed, sum('repeated'), stale];
}

function run({ quick }: Effort): Promise<Result> {
  const count = quick ? 30 : 210;
  return withScratch(async (scratch) => {
    const rows: Cell[][] = [];
    for (const client of Object.keys(CLIENTS).filter(isRunnable)) {
      for (const [app, preload] of Object.entries(APPS)) {
        const { figures, stale } = await runPool(client, count, scratch, preload);
        rows.push(row(client, app, figures, stale));
      }
    }
    return {
      tables: [
        {
          title: 'POSTs to a server that closes idle connections while the app is busy',
          columns: [
            'client',
            'app',
            'sent',
            ...CLOSINGS.map((closing) => `failed after ${closing}`),
            'came twice',
            'dropped',
          ],
          rows,
        },
      ],
      notes: [
        'each way to close with plain connections and with TLS, three requests at a time',
        'the app goes on once the kernel knows that all of its connections are closed, and before Node does',
      ],
    };
  });
}

export const stalePool: Scenario = {
  name: 'stale-pool',
  what: 'requests that pools write to connections that were closed while the app was busy',
  onlyByName: true,
  run,
};
