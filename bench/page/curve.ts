import { axisX, dot, line, type Markish, ruleX } from '@observablehq/plot';
import type { Comparison } from '../scenario.js';
import { draw, widthOf } from './drawing.js';
import { type Figure, figures, hasSpread, isBase, isOurs } from './figures.js';
import { numberLabel, xLabel } from './label.js';
import { looksOf } from './looks.js';

const HEIGHT = 250;
const LEFT = 50;
const RIGHT = 22;

interface Place {
  readonly figure: Figure;
  readonly x: number;
}

/** Drawing order: the compared contenders over the rest, ours last. */
function rank(contender: string): number {
  if (isOurs(contender)) return 2;
  return isBase(contender) ? 1 : 0;
}

/** Values whose labels fit side by side. */
function ticksOf(comparison: Comparison, xs: readonly number[], isLog: boolean, width: number): number[] {
  const position = isLog ? Math.log : (x: number): number => x;
  const [first = 0, last = 1] = [xs[0], xs.at(-1)];
  const scale = (width - LEFT - RIGHT) / (position(last) - position(first) || 1);
  const ticks: number[] = [];
  let free = Number.NEGATIVE_INFINITY;
  for (const x of xs) {
    const half = widthOf(xLabel(comparison, x)) / 2 + 3;
    const at = position(x) * scale;
    if (at - half < free) continue;
    ticks.push(x);
    free = at + half;
  }
  return ticks;
}

function marksOf(comparison: Comparison, places: readonly Place[]): Markish[] {
  const look = looksOf(comparison.series.map(({ contender }) => contender));
  const contenders = [...new Set(places.map(({ figure }) => figure.contender))];
  contenders.sort((a, b) => rank(a) - rank(b));
  return contenders.flatMap((contender, index) => {
    const own = places.filter(({ figure }) => figure.contender === contender).sort((a, b) => a.x - b.x);
    const { colour, mark, isMain } = look(contender);
    const y = (place: Place): number => place.figure.median;
    // Later lines are thinner, so equal lines all stay visible.
    const above = isMain ? contenders.length - 1 - index : 0;
    return [
      ruleX(
        own.filter(({ figure }) => hasSpread(figure)),
        {
          x: 'x',
          y1: ({ figure }: Place) => figure.least,
          y2: ({ figure }: Place) => figure.greatest,
          stroke: colour,
          strokeOpacity: 0.6,
        },
      ),
      line(own, {
        x: 'x',
        y,
        stroke: colour,
        strokeWidth: isMain ? 2.25 + 1.5 * above : 1.25,
        strokeOpacity: isMain ? 1 : 0.85,
      }),
      dot(own, { x: 'x', y, fill: colour, symbol: mark, r: isMain ? 3.5 + above : 3.5 }),
    ];
  });
}

/** Growth of a figure, for each contender. A logarithmic axis needs values above zero. */
export function curveChart(comparison: Comparison, width: number): string {
  const all = figures(comparison);
  const places = all.flatMap((figure) => (typeof figure.x === 'number' ? [{ figure, x: figure.x }] : []));
  const xs = [...new Set(places.map(({ x }) => x))].sort((a, b) => a - b);
  const isLogX = comparison.xScale === 'log' && xs.every((x) => x > 0);
  const isLogY = comparison.yScale === 'log' && places.every(({ figure }) => figure.least > 0);
  const greatest = Math.max(...places.map(({ figure }) => figure.greatest));
  const ticks = axisX(ticksOf(comparison, xs, isLogX, width), {
    // Not by tickFormat, which is empty between the powers of a logarithmic axis.
    text: (x: number) => xLabel(comparison, x),
    label: comparison.xTitle,
    labelAnchor: 'right',
    labelArrow: 'none',
  });
  return draw(comparison.title, [ticks, ...marksOf(comparison, places)], {
    width,
    height: HEIGHT,
    marginLeft: LEFT,
    marginRight: RIGHT,
    marginTop: 10,
    marginBottom: 40,
    x: { type: isLogX ? 'log' : 'linear', label: null },
    y: {
      type: isLogY ? 'log' : 'linear',
      label: null,
      grid: true,
      tickSize: 0,
      ticks: 5,
      tickFormat: numberLabel,
      ...(isLogY ? {} : { domain: [0, greatest || 1] }),
    },
  });
}
