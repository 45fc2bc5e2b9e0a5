// Elements of the page. What comes from the process becomes text, never markup.

type Attributes = Readonly<Record<string, string | number>>;

type Child = Node | string;

function complete<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** An element of HTML. */
export function html<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes,
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  return complete(document.createElement(tag), attributes, children);
}

/** An element of SVG. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes,
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  return complete(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

export function dimmed(text: string): HTMLSpanElement {
  return html('span', { class: 'dim' }, text);
}

/** Replace what an element of page.html holds. */
export function fill(id: string, ...children: readonly Child[]): void {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`page.html has no element '${id}'`);
  element.replaceChildren(...children);
}

/** Say that an element of page.html has nothing to show. */
export function fillEmpty(id: string, text: string): void {
  fill(id, html('p', { class: 'dim' }, text));
}
