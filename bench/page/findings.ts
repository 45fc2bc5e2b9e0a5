import { boundIn, detailIn, type Verdict, verdictIn } from '../goal.js';
import { badness, isTooNoisy, shareText, TOO_NOISY } from '../ratio.js';
import type { Results } from '../results.js';
import type { Cell, Comparison, Table } from '../scenario.js';
import { type Figure, figures, isBase, isOurs } from './figures.js';
import { cellText, numberLabel } from './label.js';
import { nameOf } from './names.js';

/** One goal with its verdict. */
interface Goal {
  readonly verdict: Verdict;
  readonly text: string;
}

/** Goal in a cell. Its figure is in the column before. */
function goalAt(scenario: string, table: Table, row: readonly Cell[], column: number): Goal | undefined {
  const cell = row[column];
  const verdict = verdictIn(cell);
  if (verdict === undefined) return undefined;
  const { title, columns } = table;
  const figure = `${columns[column - 1] ?? ''} ${cellText(row[column - 1])}`.trim();
  const [first] = row;
  const circumstance = typeof first === 'number' ? `${columns[0]} ${first}` : first;
  const name = circumstance ? `, ${circumstance}` : '';
  const detail = detailIn(cell);
  const why = detail === undefined ? '' : ` (${detail})`;
  return { verdict, text: `${scenario}: ${title}${name}: ${figure}; the goal was ${boundIn(cell)}${why}` };
}

function goalsIn(scenario: string, table: Table): Goal[] {
  return table.rows.flatMap((row) => row.flatMap((_, column) => goalAt(scenario, table, row, column) ?? []));
}

/** Goals by verdict. Each goal is in one of the lists. */
export interface Goals {
  readonly reached: readonly string[];
  readonly missed: readonly string[];
  readonly tooNoisy: readonly string[];
}

export function goals({ scenarios }: Results): Goals {
  const all = scenarios.flatMap(({ name, tables }) => tables.flatMap((table) => goalsIn(name, table)));
  const of = (verdict: Verdict): string[] => all.flatMap((goal) => (goal.verdict === verdict ? [goal.text] : []));
  return { reached: of('reached'), missed: of('MISSED'), tooNoisy: of(TOO_NOISY) };
}

/** All goals, as a sum that readers can check. */
export function goalsText({ reached, missed, tooNoisy }: Goals): string {
  const all = reached.length + missed.length + tooNoisy.length;
  return `Of ${all} goals that we had set, ${reached.length} were reached, ${missed.length} missed, and ${tooNoisy.length} could not be judged (too noisy).`;
}

/** Losses of one of our contenders against stock in one comparison: over 5 %. */
export interface Loss {
  readonly comparison: Comparison;
  /** Figure at the worst point. */
  readonly worst: Figure;
  /** Stock's figure at the same point. */
  readonly stock: Figure;
  readonly at: readonly string[];
  /** Number of points of the comparison. */
  readonly of: number;
}

export interface Losses {
  /** Clear losses: worse in every round than stock in any. The worst is first. */
  readonly clear: readonly Loss[];
  /** Number of figures that are worse, but within the spread of the rounds. */
  readonly within: number;
  /** Number of figures whose medians and rounds contradict each other. */
  readonly tooNoisy: number;
}

/** Least loss that counts: less is noise on any machine. */
const WORTH_TELLING = 1.05;

/** Factor of the loss against stock. */
function badnessOf({ better }: Comparison, { toStock }: Figure): number {
  return toStock === undefined || isTooNoisy(toStock) ? 1 : badness(better, toStock).value;
}

function stockBeside(own: Figure, all: readonly Figure[]): Figure | undefined {
  return all.find(({ contender, xLabel }) => isBase(contender) && xLabel === own.xLabel);
}

/** Whether our best round is worse than stock's worst. Otherwise it may be chance. */
function isClear({ better }: Comparison, own: Figure, all: readonly Figure[]): boolean {
  const stock = stockBeside(own, all);
  if (stock === undefined || own.rounds === 1) return false;
  return better === 'lower' ? own.least > stock.greatest : own.greatest < stock.least;
}

function lossesOf(comparison: Comparison): Losses {
  const all = figures(comparison);
  const ours = all.filter(({ contender }) => isOurs(contender));
  const tooNoisy = ours.filter(({ toStock }) => toStock !== undefined && isTooNoisy(toStock)).length;
  const worse = ours.filter((figure) => badnessOf(comparison, figure) > WORTH_TELLING);
  const sure = worse.filter((figure) => isClear(comparison, figure, all));
  const clear = [...new Set(sure.map(({ contender }) => contender))].flatMap((contender): Loss[] => {
    const own = sure.filter((figure) => figure.contender === contender);
    own.sort((a, b) => badnessOf(comparison, b) - badnessOf(comparison, a));
    const [worst] = own;
    const stock = worst === undefined ? undefined : stockBeside(worst, all);
    if (worst === undefined || stock === undefined) return [];
    const of = ours.filter((figure) => figure.contender === contender).length;
    return [{ comparison, worst, stock, at: own.map(({ xLabel }) => xLabel), of }];
  });
  return { clear, within: worse.length - sure.length, tooNoisy };
}

/** Losses against stock by over 5 %, and the number that may be chance. */
export function losses(results: Results): Losses {
  const all = results.scenarios.flatMap(({ comparisons }) => comparisons.map(lossesOf));
  const clear = all.flatMap((one) => one.clear);
  clear.sort((a, b) => badnessOf(b.comparison, b.worst) - badnessOf(a.comparison, a.worst));
  const sum = (of: (one: Losses) => number): number => all.reduce((total, one) => total + of(one), 0);
  return { clear, within: sum((one) => one.within), tooNoisy: sum((one) => one.tooNoisy) };
}

export function lossText({ comparison, worst, stock, at, of }: Loss): string {
  const { title, unit, better } = comparison;
  const where = worst.xLabel === '' ? '' : ` at ${worst.xLabel}`;
  const also = at.length > 1 ? `; worse at ${at.length} of ${of} points` : '';
  const share = worst.toStock === undefined ? '' : `, ${shareText(worst.toStock)} of Node.js’s`;
  const figure = `${numberLabel(worst.median)} ${unit} instead of ${numberLabel(stock.median)}${share}`;
  return `${title}: ${nameOf(worst.contender)} ${figure}${where} (${better} is better)${also}`;
}

/** Figures that are neither a clear loss nor a sure gain. */
export function doubtText({ within, tooNoisy }: Losses): string {
  return `Figures over 5 % worse than stock Node.js, but within the spread of the rounds: ${within}; neither better nor worse for sure (too noisy): ${tooNoisy}.`;
}

/** Missing parts of a run, with reasons. */
export function notMeasured({ failed, interrupted = [] }: Results): string[] {
  const told = failed.map(({ name, message }) => `${name} could not be measured: ${message}`);
  if (interrupted.length > 0)
    told.push(`the run was interrupted before these were measured: ${interrupted.join(', ')}`);
  return told;
}
