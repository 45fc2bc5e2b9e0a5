/** docs/frameworks.md, made from the table of the tests. As a script, this writes the page. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FRAMEWORKS, type Framework } from '../test/third-party/frameworks.js';
import { manifestOf } from '../test/third-party/manifest.js';

export const FRAMEWORKS_FILE = fileURLToPath(new URL('../../docs/frameworks.md', import.meta.url));

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

<!-- Made by scripts/frameworks-page.ts from test/third-party/frameworks.ts. -->

How real frameworks send files under \`node --import socket-tune/register\`. Each line is an app in \`test/third-party/apps\`, without
any code for socket-tune. The tests run it with and without the preload, and send the same requests: whole files, ranges, HEAD,
If-None-Match, If-Modified-Since, If-Range, missing files, pipelined requests, and downloads that the client aborts. Every head and every
body must be the same, except the date. The tuned process's report must say what this table says.

| Versions | What sends | By sendfile | Why | Not rerouted, by the report | Knows |
| --- | --- | --- | --- | --- | --- |
${FRAMEWORKS.map(line).join('\n')}

In every framework, some answers take Node's own path: an empty file, an answer without a body, and a pipelined answer whose turn has not
come (\`destination-not-ready\`). So does everything over TLS, and everything that is compressed on the way.
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(FRAMEWORKS_FILE, frameworksPage());
