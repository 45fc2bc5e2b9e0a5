import { svg } from './elements.js';

/** In CSS pixels. A unit of a chart is a pixel, so its labels are as large on a telephone as they are on a screen. */
export const HEIGHT = 150;

/** A chart has no less room than that, whatever the window is. */
const LEAST_WIDTH = 200;

/** The width that an element of page.html has for a chart. */
export function widthOf(id: string): number {
  return Math.max(LEAST_WIDTH, document.getElementById(id)?.clientWidth ?? 0);
}

/** An empty chart. */
export function makeChart(label: string, width: number): SVGSVGElement {
  return svg('svg', { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: 'img', 'aria-label': label });
}
