/** What listeners need besides calls of setsockopt(2). The start of every process loads this: it must stay without the table. */
import type { OptionValues } from './table.js';

/** Whether listeners with these values share their port. */
export function sharesPort({ reusePort = 'off' }: OptionValues): boolean {
  return reusePort !== 'off';
}

/** Whether an app's own choice for its server (`noDelay`, `keepAlive` of createServer) outweighs one of these values. */
export function heedsServers({ noDelay = false, keepAlive = false }: OptionValues): boolean {
  return noDelay || keepAlive;
}
