import { barX, dot, type Markish, ruleX, ruleY, text } from '@observablehq/plot';
import { ticks } from 'd3-array';
import { shareText } from '../ratio.js';
import type { Comparison } from '../scenario.js';
import { draw, widthOf } from './drawing.js';
import { byX, type Figure, figures, hasSpread, isBase } from './figures.js';
import { numberLabel, shorten, shortUnit } from './label.js';
import { type Look, looksOf } from './looks.js';
import { nameOf } from './names.js';

/** Scale of the values: bars, or dots where lengths would differ too much. Dots need no zero. */
type Scale = 'linear' | 'share' | 'dots';

/** One line of the chart: a heading, a bar, or a contender's name without room beside its bar. */
interface Row {
  readonly key: string;
  readonly heading?: string;
  readonly name?: string;
  readonly bar?: Bar;
}

interface Bar {
  readonly figure: Figure;
  readonly name: string;
  readonly label: string;
  readonly look: Look;
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

const ROW_HEIGHT = 21;
const AXIS_HEIGHT = 24;
const AXIS_LABEL_HEIGHT = 18;
/** Longest name beside a bar. A longer one stands above. */
const LONGEST_BESIDE = 17;
const LONGEST_ABOVE = 48;
/** Ratio of values above which short bars would be invisible. */
const GREATEST_RATIO = 150;
const GREATEST_RATIO_OF_GROUPS = 10;

function scaleFor(all: readonly Figure[], groups: ReadonlyMap<string, Figure[]>): Scale {
  const extent = (values: readonly number[]): number => Math.max(...values) / Math.min(...values);
  const isPositive = all.every(({ least }) => least > 0);
  const tellsRatios = all.every(({ toStock }) => toStock !== undefined);
  if (!isPositive) return 'linear';
  const withinGroups = [...groups.values()].map((group) => extent(group.map((figure) => figure.median)));
  if (Math.max(...withinGroups) > GREATEST_RATIO) return 'dots';
  if (extent(all.map((figure) => figure.median)) < GREATEST_RATIO_OF_GROUPS || groups.size === 1) return 'linear';
  return tellsRatios ? 'share' : 'dots';
}

function labelOf(figure: Figure, unit: string): string {
  const value = `${numberLabel(figure.median)} ${unit}`;
  return figure.toStock === undefined || isBase(figure.contender) ? value : `${value} · ${shareText(figure.toStock)}`;
}

function barsOf(comparison: Comparison, group: readonly Figure[], scale: Scale): Bar[] {
  const look = looksOf(comparison.series.map(({ contender }) => contender));
  return group.map((figure) => {
    const factor = scale === 'share' ? ((figure.toStock?.value ?? 1) * 100) / figure.median : 1;
    return {
      figure,
      name: shorten(nameOf(figure.contender), LONGEST_ABOVE),
      label: labelOf(figure, shortUnit(comparison.unit)),
      look: look(figure.contender),
      at: figure.median * factor,
      from: figure.least * factor,
      to: figure.greatest * factor,
    };
  });
}

function rowsOf(heading: string, bars: readonly Bar[], isBeside: boolean): Row[] {
  return bars.flatMap((bar) => {
    const key = `${heading}|${bar.figure.contender}`;
    return isBeside
      ? [{ key, bar }]
      : [
          { key: `${key}|name`, name: bar.name },
          { key, bar },
        ];
  });
}

/** Axis of the values. */
function valueMarks(rows: readonly Row[], scale: Scale): Markish[] {
  const bars = rows.flatMap(({ key, bar }) => (bar === undefined ? [] : [{ key, ...bar }]));
  const spread = bars.filter(({ figure }) => hasSpread(figure));
  const colour = { value: (bar: Bar) => bar.look.colour, scale: null } as const;
  const whisker = { strokeWidth: 1.5, strokeOpacity: 0.75 } as const;
  return [
    ...(scale === 'dots'
      ? [dot(bars, { x: 'at', y: 'key', fill: colour, r: 5 })]
      : [barX(bars, { x: 'at', y: 'key', fill: colour, rx: 2 }), ruleX([0], { strokeOpacity: 0.4 })]),
    ...(scale === 'share' ? [ruleX([100], { stroke: 'var(--stock)', strokeDasharray: '3,3' })] : []),
    ruleY(spread, { y: 'key', x1: 'from', x2: 'to', ...whisker }),
    ...(['from', 'to'] as const).map((end) =>
      ruleX(spread, { x: end, y: 'key', insetTop: 4, insetBottom: 4, ...whisker }),
    ),
    text(bars, { x: (bar: Bar) => Math.max(bar.at, bar.to), y: 'key', text: 'label', textAnchor: 'start', dx: 7 }),
  ];
}

/** Names of the contenders. */
function nameMarks(rows: readonly Row[], left: number, isBeside: boolean): Markish[] {
  const leftmost = { y: 'key', frameAnchor: 'left', textAnchor: 'start', dx: 4 - left } as const;
  const beside = isBeside ? rows.flatMap(({ key, bar }) => (bar === undefined ? [] : [{ key, ...bar }])) : [];
  const weighted = (isMain: boolean): Markish =>
    text(
      beside.filter(({ look }) => look.isMain === isMain),
      { y: 'key', text: 'name', frameAnchor: 'left', textAnchor: 'end', dx: -8, fontWeight: isMain ? 600 : 400 },
    );
  return [
    weighted(true),
    weighted(false),
    text(
      rows.filter(({ name }) => name !== undefined),
      { ...leftmost, text: 'name', dy: 4 },
    ),
    text(
      rows.filter(({ heading }) => heading !== undefined),
      { ...leftmost, text: 'heading', dy: 2, fontWeight: 600 },
    ),
  ];
}

/** Ticks from zero, as many as have room for their labels. */
function ticksFor(greatest: number, width: number): number[] {
  for (const count of [4, 3, 2]) {
    const values = ticks(0, greatest, count);
    const widest = Math.max(...values.map((value) => widthOf(numberLabel(value))));
    if ((values.length - 1) * (widest + 8) <= ((values.at(-1) ?? 0) / greatest) * width) return values;
  }
  return [0];
}

const AXIS_LABELS: Readonly<Record<Scale, string | null>> = {
  linear: null,
  share: '% of Node.js',
  dots: 'logarithmic scale',
};

/** Contenders side by side; whiskers show the least and the greatest of the rounds. */
export function barChart(comparison: Comparison, width: number, title = comparison.title): string {
  const all = figures(comparison);
  const groups = byX(all);
  const scale = scaleFor(all, groups);
  const isBeside = all.every(({ contender }) => nameOf(contender).length <= LONGEST_BESIDE);
  const rows = [...groups].flatMap(([heading, group]): Row[] => {
    const own = rowsOf(heading, barsOf(comparison, group, scale), isBeside);
    return groups.size === 1 ? own : [{ key: heading, heading }, ...own];
  });
  const shown = rows.flatMap(({ bar }) => (bar === undefined ? [] : [bar]));
  const left = isBeside ? 12 + Math.max(...shown.map(({ name }) => widthOf(name))) : 8;
  const right = 12 + Math.max(...shown.map(({ label }) => widthOf(label)));
  const below = AXIS_HEIGHT + (AXIS_LABELS[scale] === null ? 0 : AXIS_LABEL_HEIGHT);
  const greatest = Math.max(...shown.map(({ at, to }) => Math.max(at, to))) || 1;
  return draw(title, [...valueMarks(rows, scale), ...nameMarks(rows, left, isBeside)], {
    width,
    height: rows.length * ROW_HEIGHT + below + 4,
    marginLeft: left,
    marginRight: right,
    marginTop: 4,
    marginBottom: below,
    y: { domain: rows.map(({ key }) => key), axis: null, padding: 0.24 },
    x: {
      type: scale === 'dots' ? 'log' : 'linear',
      label: AXIS_LABELS[scale],
      labelAnchor: 'left',
      labelArrow: 'none',
      grid: true,
      tickFormat: numberLabel,
      ...(scale === 'dots' ? { ticks: 4 } : { ticks: ticksFor(greatest, width - left - right), domain: [0, greatest] }),
    },
  });
}
