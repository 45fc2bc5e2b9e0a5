/** docs/options.md, made from the table in src/options. As a script it writes the page. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { displayValue } from '../../src/cli/explain/options.js';
import { kindOf } from '../../src/options/kinds.js';
import type { PresetName, SocketOption } from '../../src/options/socket-option.js';
import { OPTION_ROWS, type OptionRow, PLANNED_OPTIONS } from '../../src/options/table.js';

/** The file of the page. */
export const OPTIONS_PAGE = fileURLToPath(new URL('../../../docs/options.md', import.meta.url));

const INTRODUCTION = `# Options

Made from the table in src/options/table.ts by scripts/pages/options-page.ts. \`npx socket-tune explain\` shows their values in your
environment, \`npx socket-tune doctor\` whether this machine supports them, and \`SOCKET_TUNE_REPORT=exit\` the kernel's values.

Every variable begins with \`SOCKET_TUNE_\`. \`SOCKET_TUNE_PORT_8080_NODELAY\` is for the listeners on one port. \`SOCKET_TUNE_CONNECT_NODELAY\` is for the
sockets that the process opens (with \`SOCKET_TUNE_CONNECT=on\`), and \`SOCKET_TUNE_CONNECT_PORT_5432_NODELAY\` for such sockets to one port.
Every option that such sockets have has these variables.
`;

const READ_BACK: Readonly<Record<SocketOption['readBack'], string>> = {
  same: 'the same value is read back',
  doubled: 'twice the value is read back, because the kernel adds its own overhead',
  rounded: 'the value is read back, rounded up by the kernel',
  none: 'nothing is read back: the kernel resets it, or the connection is watched instead',
};

function values(row: OptionRow): string {
  const words = row.words === undefined ? '' : `, or ${Object.keys(row.words).join(', ')}`;
  return `${kindOf(row).describeValues(row)}${words}`;
}

function presets(row: OptionRow): string {
  const names: readonly PresetName[] = ['default', 'lowlatency', 'highthroughput'];
  return names.map((name) => `${name} ${displayValue(row, row.presets[name])}`).join(', ');
}

function beforeBind(row: OptionRow): string {
  const outgoing = row.targets.includes('outgoing') ? ', on an outgoing socket before connect(2) at the latest' : '';
  const datagram = row.targets.includes('datagram') ? ', on a UDP socket once it is bound' : '';
  return row.ofLocalAddress
    ? 'It is set before bind(2), only on sockets that bind a local address (`localAddress`). Other sockets cost nothing.'
    : `It is set before bind(2)${outgoing}${datagram}.`;
}

function notes(row: OptionRow): string[] {
  const needed = OPTION_ROWS.find((candidate) => candidate.key === row.requires);
  return [
    ...(needed === undefined ? [] : [`Only with \`${needed.variable}=on\`.`]),
    ...(row.clientSpeaksFirst ? ['Only http, https, tls and http2 servers, whose clients speak first.'] : []),
    ...(row.since === undefined ? [] : [`Linux ${row.since} and later.`]),
    ...(row.phase === 'before-handshake'
      ? ['It is set before listen(2) or connect(2), because the handshake depends on it.']
      : []),
    ...(row.phase === 'before-bind' ? [beforeBind(row)] : []),
    ...(row.guards ? ['Part of the guard of outgoing sockets (`SOCKET_TUNE_CONNECT=guard`).'] : []),
    ...(row.onceConnected ? ['On an outgoing socket it is set after the connect.'] : []),
    ...(row.floor === undefined ? [] : ['The value is a minimum.']),
    ...(row.ipv6Only ? ['IPv6 sockets only.'] : []),
  ];
}

function section(row: OptionRow): string {
  return [
    `## ${row.variable}`,
    '',
    row.doc,
    '',
    `- \`SOCKET_TUNE_${row.variable}\`, in a config \`${row.key}\`; ${row.constant}`,
    `- values: ${values(row)}`,
    `- presets: ${presets(row)}`,
    `- sockets: ${row.targets.join(', ')}`,
    `- confirmed: ${READ_BACK[row.readBack]}`,
    ...notes(row).map((note) => `- ${note}`),
    '',
  ].join('\n');
}

/** The page in Markdown. */
export function optionsPage(): string {
  const later = PLANNED_OPTIONS.map(({ variable, doc }) => `- \`SOCKET_TUNE_${variable}\`: ${doc}`);
  return [
    INTRODUCTION,
    ...OPTION_ROWS.map(section),
    '## RAW\n\nAny other option of the kernel, by its numbers: `SOCKET_TUNE_RAW=level:name:int[@phase]`, comma separated, such as',
    '`6:25:16384@before-listen`. Phases: `before-bind`, `before-listen` (the default), `accepted`, `before-connect` (outgoing sockets,',
    'with `SOCKET_TUNE_CONNECT=on`), `datagram`. The option is read back like any other, and reported under its numbers.\n',
    '## UDP_GSO\n\n`SOCKET_TUNE_UDP_GSO=on`, in a config `udpGso: true`; UDP_SEGMENT. No option of a socket: each burst of datagrams has it. Off in every preset.',
    '[Bursts of datagrams](datagrams.md) says when it is used.\n',
    `## Not built\n\nThese need more than setsockopt(2). [Considered, and left out](considered.md) says why they are not built:\n\n${later.join('\n')}\n`,
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(OPTIONS_PAGE, optionsPage());
