import { warnOnce } from '../diagnostics.js';
import type { OptionOutcome } from '../options/outcome.js';
import { OPTION_ROWS } from '../options/table.js';
import type { HookContext } from './context.js';

/**
 * Warn once of each option that the kernel refused, and of one that is unsupported if the user has named it. An unsupported option
 * of a preset is in the report only.
 */
export function warnOfFailures(context: HookContext, outcomes: readonly OptionOutcome[]): void {
  for (const { option, constant, verdict, asked, cause } of outcomes) {
    if (verdict !== 'refused' && verdict !== 'unsupported') continue;
    const row = OPTION_ROWS.find((candidate) => candidate.key === option);
    const isAsked = option === 'raw' || context.asked.has(option);
    if (!isAsked && (verdict === 'unsupported' || row?.leastByTick)) continue;
    const variable = row?.variable ?? 'RAW';
    const message = `${constant}=${asked} (SOCKET_TUNE_${variable}) is ${verdict}: ${cause}; it is left as it was`;
    warnOnce(`SOCKET_TUNE_${verdict.toUpperCase()}`, constant, message);
  }
}
