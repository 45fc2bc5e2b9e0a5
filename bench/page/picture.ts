import type { Comparison } from '../scenario.js';
import { barChart } from './bars.js';
import { COLOUR_STYLE } from './looks.js';
import { escapeMarkup } from './markup.js';

const WIDTH = 800;
const TITLE_HEIGHT = 34;
const FOOT_HEIGHT = 20;
/** Between two charts. */
const GAP = 16;

const STYLE =
  `${COLOUR_STYLE}svg{color:#1b1f24}text{fill:currentColor;font-family:system-ui,sans-serif}` +
  '@media(prefers-color-scheme:dark){svg{color:#e6e9ed}}';

/** A chart of the picture, with what it says of itself. */
export interface Part {
  readonly comparison: Comparison;
  /** Where and how it was measured. */
  readonly foot: string;
}

interface Drawn {
  readonly markup: readonly string[];
  readonly height: number;
}

function draw({ comparison, foot }: Part, top: number): Drawn {
  const chart = barChart(comparison, WIDTH);
  const height = TITLE_HEIGHT + Number(/ height="(\d+)"/.exec(chart)?.[1]) + FOOT_HEIGHT;
  const markup = [
    `<text x="4" y="${top + 18}" font-size="15" font-weight="600">${escapeMarkup(comparison.title)}</text>`,
    chart.replace('<svg', `<svg y="${top + TITLE_HEIGHT}"`),
    `<text x="4" y="${top + height - 6}" font-size="11">${escapeMarkup(`${comparison.better} is better; ${foot}`)}</text>`,
  ];
  return { markup, height };
}

/** Charts as a separate picture, one below the other. */
export function standalonePicture(parts: readonly Part[]): string {
  const markup: string[] = [];
  let height = 0;
  for (const part of parts) {
    const drawn = draw(part, height);
    markup.push(...drawn.markup);
    height += drawn.height + GAP;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height - GAP}" role="img">`,
    `<title>${escapeMarkup(parts.map(({ comparison }) => comparison.title).join('; '))}</title>`,
    `<style>${STYLE}</style>`,
    ...markup,
    '</svg>',
    '',
  ].join('\n');
}
