import type { Comparison } from '../scenario.js';
import { barChart } from './bars.js';
import { COLOUR_STYLE } from './looks.js';
import { escapeMarkup } from './markup.js';

const WIDTH = 800;
const TITLE_HEIGHT = 34;
const FOOT_HEIGHT = 20;

const STYLE =
  `${COLOUR_STYLE}svg{color:#1b1f24}text{fill:currentColor;font-family:system-ui,sans-serif}` +
  '@media(prefers-color-scheme:dark){svg{color:#e6e9ed}}';

/** A chart as a separate picture, with its subject and the place of the measurement. */
export function standalonePicture(comparison: Comparison, foot: string): string {
  const chart = barChart(comparison, WIDTH);
  const chartHeight = Number(/ height="(\d+)"/.exec(chart)?.[1]);
  const height = TITLE_HEIGHT + chartHeight + FOOT_HEIGHT;
  const title = `${comparison.title} (${comparison.better} is better)`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escapeMarkup(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<text x="4" y="18" font-size="15" font-weight="600">${escapeMarkup(title)}</text>`,
    chart.replace('<svg', `<svg y="${TITLE_HEIGHT}"`),
    `<text x="4" y="${height - 6}" font-size="11">${escapeMarkup(foot)}</text>`,
    '</svg>',
    '',
  ].join('\n');
}
