/** docs/frameworks.md, made from the table of the tests. As a script, this writes the page. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FRAMEWORKS, type Framework } from '../../test/third-party/frameworks.js';
import { manifestOf } from '../../test/third-party/manifest.js';

export const FRAMEWORKS_FILE = fileURLToPath(new URL('../../../docs/frameworks.md', import.meta.url));

const BY_SENDFILE: Readonly<Record<Framework['rerouted'], string>> = {
  all: 'yes',
  whole: 'whole files',
  rest: 'from byte 64k on',
  none: 'no',
};

function line({ packages, title, knows, rerouted, reasons, why }: Framework): string {
  const versions = packages.map((name) => `${name} ${manifestOf(name).version}`).join(', ');
  const counted = reasons.map((reason) => `\`${reason}\``).join(', ');
  const cells = [
    versions,
    /[({=.]/.test(title) ? `\`${title}\`` : title,
    BY_SENDFILE[rerouted],
    why,
    counted === '' ? '–' : counted,
    knows.length === 0 ? '–' : knows.join(', '),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The page in Markdown. */
export function frameworksPage(): string {
  return `# Frameworks

<!-- Made by scripts/pages/frameworks-page.ts from test/third-party/frameworks.ts. -->

This table shows how frameworks send files under \`node --import socket-tune/register\`. Each line is an app in \`test/third-party/apps\`, without
any code for socket-tune. The tests run each app with and without the preload, and send the same requests: whole files, ranges, HEAD,
If-None-Match, If-Modified-Since, If-Range, missing files, pipelined requests, and downloads that the client aborts. Every head and every
body must be the same, except the date. The report of the tuned process must agree with this table.

| Versions | What sends | By sendfile | Why | Not rerouted, by the report | Knows |
| --- | --- | --- | --- | --- | --- |
${FRAMEWORKS.map(line).join('\n')}

In every framework, some answers take Node's own path: an empty file, an answer without a body, and a pipelined answer whose turn has not
come (\`destination-not-ready\`). So does everything over TLS, and everything that is compressed on the way.

## Tried by hand

These frameworks are too heavy for the tests, or do not install beside them. Each was built in its own directory, and ran with and without the
preload. Each got requests for two files, a route that streams a file, and a page: plain, with gzip, and with two ranges. All 16 heads and
bodies were the same, except the date. HEAD, aborted downloads and pipelined requests were not tried.

| Versions | Node | Static files by sendfile | A route that streams a file |
| --- | --- | --- | --- |
| next 16.4.6, \`next start\` | 20, 26 | from byte 64k on: its bundled copy of compression is known by its source | not by sendfile: a web stream, written by its reader |
| next 16.4.6, standalone | 20, 26 | from byte 64k on, as above | not by sendfile: as above |
| @react-router/serve 7.18.4, with a server build written by hand | 20, 26 | from byte 64k on: express.static behind compression | not by sendfile: as above |
| nitropack 2.13.6, its Node server | 20, 26 | not by sendfile: \`fs.promises.readFile\`, and one write | \`sendStream\`: yes, it pipes into the response |
| astro 7.3.3, @astrojs/node 11.1.6, standalone | 22, 26 | yes, by send | not by sendfile: as above |

Nuxt was not tried; Nitro builds its server. Remix was not tried either; \`@remix-run/serve\` uses compression, which we recognize there.

A web \`Response\` does not show that its body is a file: \`Readable.toWeb()\` hides the stream, and other code may
read or change each chunk. So these writes are not rerouted. Files in memory are still read without the thread pool.

## Yarn Plug'n'Play

\`node -r ./.pnp.cjs -r socket-tune/register app.js\` works. \`yarn node -r socket-tune/register app.js\` works too, also with \`--import\`.
\`.pnp.cjs\` must come first, because Node finds socket-tune through it. A copy outside the archives may come first, by its path, with the same
result. \`node -r ./.pnp.cjs --import socket-tune/register\` does not find socket-tune. Sockets are tuned. Yarn replaces the functions of
\`fs\`, so no file stream goes by sendfile: the report counts \`patched-fs\`. For files outside its archives, Yarn calls Node's own functions. So
such files are opened and read without the thread pool if the kernel has them in memory. Yarn itself reads files inside an archive. This was
tried by hand with Yarn 4.18.1, Express 5.3.0, Node 20 and 26: every body was the same.
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(FRAMEWORKS_FILE, frameworksPage());
