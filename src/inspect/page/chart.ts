import { svg } from './elements.js';

/** Units of a chart's coordinates. */
export const WIDTH = 600;
export const HEIGHT = 150;

/** An empty chart. */
export function makeChart(label: string, attributes: Readonly<Record<string, string>> = {}): SVGSVGElement {
  return svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': label, ...attributes });
}
