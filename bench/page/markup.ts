const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text as markup: names, notes and error messages must not become tags. */
export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
}

export function element(tag: string, className: string, ...content: readonly string[]): string {
  const attribute = className === '' ? '' : ` class="${className}"`;
  return `<${tag}${attribute}>${content.join('')}</${tag}>`;
}

/** A list of points, each already markup. */
export function list(items: readonly string[], className = 'plain'): string {
  return element('ul', className, ...items.map((item) => element('li', '', item)));
}

/** Rows under heads. A wide table scrolls by itself. */
export function tableElement(caption: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string): string =>
    element('tr', '', ...cells.map((cell) => element(tag, '', escapeMarkup(cell))));
  const told = caption === '' ? '' : element('caption', '', escapeMarkup(caption));
  return element(
    'div',
    'table',
    element('table', '', told, line(heads, 'th'), ...rows.map((cells) => line(cells, 'td'))),
  );
}
