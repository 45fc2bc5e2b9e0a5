import {
  symbol,
  symbolCircle,
  symbolCross,
  symbolDiamond,
  symbolSquare,
  symbolStar,
  symbolTimes,
  symbolTriangle,
  symbolWye,
} from 'd3-shape';
import { isBase, isOurs } from './figures.js';

export type Mark = keyof typeof SHAPES;

const SHAPES = {
  circle: symbolCircle,
  square: symbolSquare,
  diamond: symbolDiamond,
  triangle: symbolTriangle,
  cross: symbolCross,
  star: symbolStar,
  wye: symbolWye,
  times: symbolTimes,
} as const;

/** Look of a contender, equal on all charts. */
export interface Look {
  /** Colour: a variable of the page's style, with a light and a dark value. */
  readonly colour: string;
  /** Shape of the mark, for readers who cannot tell the colours apart. */
  readonly mark: Mark;
  /** Whether the contender is compared (ours and stock). The others give the scale. */
  readonly isMain: boolean;
}

/**
 * Colours of the palette of Okabe and Ito, safe for colour-blind readers. All but ours are muted.
 * [light, dark]
 */
const COLOURS: Readonly<Record<string, readonly [string, string]>> = {
  stock: ['#868e96', '#8b949e'],
  ours: ['#0067c5', '#4da3ff'],
  a: ['#b98900', '#d2a535'],
  b: ['#a8648f', '#cc90b7'],
  c: ['#2f9478', '#57b898'],
  d: ['#c2643a', '#dd8963'],
  e: ['#5a6470', '#b6bec8'],
  f: ['#6f9fc4', '#9cc3df'],
  g: ['#7a5c3e', '#a98f74'],
};

const NAMED: Readonly<Record<string, readonly [colour: string, mark: Mark]>> = {
  nginx: ['a', 'diamond'],
  'C loop': ['b', 'triangle'],
  Bun: ['d', 'star'],
  'in memory': ['c', 'cross'],
  'stock 1 MiB': ['e', 'square'],
  lowlatency: ['a', 'diamond'],
  highthroughput: ['c', 'triangle'],
};

const SPARE: readonly (readonly [colour: string, mark: Mark])[] = [
  ['f', 'wye'],
  ['g', 'times'],
  ['e', 'square'],
  ['a', 'diamond'],
  ['b', 'triangle'],
  ['c', 'cross'],
  ['d', 'star'],
];

function lookOf(contender: string, spare: number): Look {
  if (isBase(contender)) return { colour: 'var(--stock)', mark: 'circle', isMain: true };
  const named = NAMED[contender];
  if (named !== undefined) return { colour: `var(--${named[0]})`, mark: named[1], isMain: isOurs(contender) };
  if (contender === 'tuned' || contender === 'default' || /socket-tune\/register/.test(contender)) {
    return { colour: 'var(--ours)', mark: 'circle', isMain: true };
  }
  const [colour, mark] = SPARE[spare % SPARE.length] ?? ['e', 'square'];
  return { colour: `var(--${colour})`, mark, isMain: isOurs(contender) };
}

export function looksOf(contenders: Iterable<string>): (contender: string) => Look {
  const looks = new Map<string, Look>();
  let spare = 0;
  for (const contender of contenders) {
    looks.set(contender, lookOf(contender, spare));
    if (!(isBase(contender) || contender in NAMED)) spare++;
  }
  return (contender) => looks.get(contender) ?? lookOf(contender, spare);
}

function variables(index: 0 | 1): string {
  return Object.entries(COLOURS)
    .map(([name, colours]) => `--${name}:${colours[index]};`)
    .join('');
}

/** CSS variables of the looks, for a page or a separate picture. */
export const COLOUR_STYLE = `:root{${variables(0)}}@media(prefers-color-scheme:dark){:root{${variables(1)}}}`;

/** Path of a mark, centred. */
export function markPath(mark: Mark): string {
  return symbol(SHAPES[mark], 40)() ?? '';
}
