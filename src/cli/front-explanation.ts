import { PREFIX } from '../config/env.js';
import { type Behind, FRONTS, frontIdleTime, keepAliveTimeBehind } from '../config/front.js';
import { SETTINGS } from '../config/settings.js';
import { NODES_TIMES } from '../node/http.js';
import type { Explanation } from './explain.js';

/** The page of requests of this version, beside dist/. */
const DOCS = new URL('../docs/requests.md', import.meta.url).href;

function meaning(behind: Behind): string {
  const idle = frontIdleTime(behind);
  if (idle === undefined)
    return `http servers close idle connections after ${NODES_TIMES.keepAliveTimeout / 1000} s, as Node has it`;
  const who = typeof behind === 'string' && behind !== 'off' ? FRONTS[behind].title : 'what stands in front';
  const kept = keepAliveTimeBehind(idle);
  const times = (['keepAliveTimeout', 'headersTimeout', 'requestTimeout'] as const).map(
    (name) => `${name} ${Math.max(kept, NODES_TIMES[name]) / 1000} s`,
  );
  return `${who} closes idle connections after ${idle / 1000} s; http servers get ${times.join(', ')}, each unless the app sets it`;
}

/** What becomes of `SOCKET_TUNE_BEHIND`. */
export function frontExplanation(behind: Behind, variables: ReadonlyMap<string, string>): Explanation {
  const variable = `${PREFIX}BEHIND`;
  return {
    option: 'behind',
    variable,
    ...(behind === SETTINGS.behind.default ? {} : { value: behind }),
    source: variables.has(variable) ? variable : 'left alone',
    constant: 'server.keepAliveTimeout',
    supported: true,
    doc: meaning(behind),
    link: `${DOCS}#behind`,
  };
}
