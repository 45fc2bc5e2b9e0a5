import { createHash } from 'node:crypto';
import { HTML, SCRIPT, STYLE } from './page-files.js';

/** Names a text in a Content-Security-Policy. */
function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

function inline(html: string, reference: string, element: string): string {
  if (!html.includes(reference)) throw new Error(`page.html has no ${reference}`);
  // A function, as a $ in a text would have a meaning.
  return html.replace(reference, () => element);
}

/** The page with its style and script inside: one file, with nothing from elsewhere. */
export const PAGE = inline(
  inline(HTML, '<link rel="stylesheet" href="page.css">', `<style>${STYLE}</style>`),
  '<script src="page.ts"></script>',
  `<script>${SCRIPT}</script>`,
);

/** The Content-Security-Policy of the page. It allows this style and this script, and no others. */
export const POLICY = [
  "default-src 'none'",
  'img-src data:',
  "connect-src 'self'",
  `style-src ${hashOf(STYLE)}`,
  `script-src ${hashOf(SCRIPT)}`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
