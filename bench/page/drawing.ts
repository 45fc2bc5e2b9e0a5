import { type Markish, type PlotOptions, plot } from '@observablehq/plot';
import { DOMImplementation, XMLSerializer } from '@xmldom/xmldom';

/** Average width of a character in charts, in pixels, as there is no browser to measure. */
export const CHARACTER = 6.4;
export const FONT_SIZE = 12;

const SVG = 'http://www.w3.org/2000/svg';

/** A fixed picture, without a script. */
export function draw(label: string, marks: readonly Markish[], options: PlotOptions): string {
  const document = new DOMImplementation().createDocument(SVG, 'svg');
  const chart = plot({
    ...options,
    document,
    ariaLabel: label,
    style: `font-size:${FONT_SIZE}px;overflow:visible`,
    marks: [...marks],
  });
  return new XMLSerializer().serializeToString(chart);
}

export function widthOf(text: string): number {
  return text.length * CHARACTER;
}
