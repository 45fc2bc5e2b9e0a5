import type { Results } from '../results.js';
import { type Cell, type Comparison, isMissed, isReached, isUnsettled, type Table } from '../scenario.js';
import { type Figure, figures, isBase, isOurs } from './figures.js';
import { cellText, numberLabel, ratioLabel } from './label.js';
import { nameOf } from './names.js';

/** The figure stands before its goal. */
function missedIn(scenario: string, { title, columns, rows }: Table): string[] {
  return rows.flatMap((row) =>
    row.flatMap((cell, column) => {
      if (!isMissed(cell)) return [];
      const figure = `${columns[column - 1] ?? ''} ${cellText(row[column - 1])}`.trim();
      const goal = String(cell)
        .replace(/: MISSED$/, '')
        .replace('<=', '≤')
        .replace('>=', '≥');
      const [first] = row;
      const circumstance = typeof first === 'number' ? `${columns[0]} ${first}` : first;
      const name = circumstance ? `, ${circumstance}` : '';
      return [`${scenario}: ${title}${name}: ${figure}; the goal was ${goal}`];
    }),
  );
}

interface Goals {
  readonly reached: number;
  readonly missed: readonly string[];
  /** Beyond their goals, by rounds that disagree. */
  readonly unsettled: number;
}

/** What was to be reached, and whether it was. */
export function goals({ scenarios }: Results): Goals {
  const tables = scenarios.flatMap((scenario) => scenario.tables.map((table) => ({ name: scenario.name, table })));
  const count = (is: (cell: Cell | null) => boolean): number =>
    tables.flatMap(({ table }) => table.rows.flat().filter(is)).length;
  return {
    reached: count(isReached),
    unsettled: count(isUnsettled),
    missed: tables.flatMap(({ name, table }) => missedIn(name, table)),
  };
}

/** Where a contender of ours is worse than stock by over 5 %, in one comparison. */
export interface Loss {
  readonly comparison: Comparison;
  /** The worst of those. */
  readonly worst: Figure;
  readonly toStock: number;
  readonly at: readonly string[];
  /** Points that the comparison has. */
  readonly of: number;
}

/** What is nearer is noise on any machine. */
const WORTH_TELLING = 1.05;

/** How many times as bad as stock. */
function badness({ better }: Comparison, { toStock = 1 }: Figure): number {
  return better === 'lower' ? toStock : 1 / toStock;
}

/** Whether even our best round was worse than stock's worst: else chance may have decided. */
function isClear({ better }: Comparison, own: Figure, all: readonly Figure[]): boolean {
  const stock = all.find(({ contender, xLabel }) => isBase(contender) && xLabel === own.xLabel);
  if (stock === undefined || own.rounds === 1) return false;
  return better === 'lower' ? own.least > stock.greatest : own.greatest < stock.least;
}

function lossesOf(comparison: Comparison): { clear: Loss[]; within: number } {
  const all = figures(comparison);
  const ours = all.filter(({ contender }) => isOurs(contender));
  const worse = ours.filter((figure) => badness(comparison, figure) > WORTH_TELLING);
  const sure = worse.filter((figure) => isClear(comparison, figure, all));
  const clear = [...new Set(sure.map(({ contender }) => contender))].flatMap((contender): Loss[] => {
    const own = sure.filter((figure) => figure.contender === contender);
    own.sort((a, b) => badness(comparison, b) - badness(comparison, a));
    const [worst] = own;
    if (worst?.toStock === undefined) return [];
    const of = ours.filter((figure) => figure.contender === contender).length;
    return [{ comparison, worst, toStock: worst.toStock, at: own.map(({ xLabel }) => xLabel), of }];
  });
  return { clear, within: worse.length - sure.length };
}

/** Where we are worse than stock by over 5 %, the worst first, and how often that may be chance. */
export function losses(results: Results): { readonly clear: readonly Loss[]; readonly within: number } {
  const all = results.scenarios.flatMap(({ comparisons }) => comparisons.map(lossesOf));
  const clear = all.flatMap((one) => one.clear);
  clear.sort((a, b) => badness(b.comparison, b.worst) - badness(a.comparison, a.worst));
  return { clear, within: all.reduce((sum, { within }) => sum + within, 0) };
}

export function lossText({ comparison, worst, toStock, at, of }: Loss): string {
  const { title, unit, better } = comparison;
  const where = worst.xLabel === '' ? '' : ` at ${worst.xLabel}`;
  const also = at.length > 1 ? `; worse at ${at.length} of ${of} points` : '';
  const figure = `${numberLabel(worst.median)} ${unit}, ${ratioLabel(toStock)} of Node.js’s`;
  return `${title}: ${nameOf(worst.contender)} ${figure}${where} (${better} is better)${also}`;
}
