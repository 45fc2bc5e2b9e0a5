/** docs/options.md, made from the table in src/options. As a script it writes the page. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { displayValue } from '../src/cli/explain/options.js';
import { kindOf } from '../src/options/kinds.js';
import type { PresetName, SocketOption } from '../src/options/socket-option.js';
import { OPTION_ROWS, type OptionRow, PLANNED_OPTIONS } from '../src/options/table.js';

/** The file of the page. */
export const OPTIONS_PAGE = fileURLToPath(new URL('../../docs/options.md', import.meta.url));

const INTRODUCTION = `# Options

Made from the table in src/options/table.ts by scripts/options-page.ts. \`npx socket-tune explain\` tells the values that your
environment gives them, \`npx socket-tune doctor\` whether this machine can have them, and \`SOCKET_TUNE_REPORT=exit\` what the kernel
made of them.

Every variable begins with \`SOCKET_TUNE_\`. For the listeners on one port there is \`SOCKET_TUNE_PORT_8080_NODELAY\`, for the sockets that
the process opens \`SOCKET_TUNE_CONNECT_NODELAY\` (with \`SOCKET_TUNE_CONNECT=on\`), for those to one port
\`SOCKET_TUNE_CONNECT_PORT_5432_NODELAY\`, and so for each option that such sockets have.
`;

const READ_BACK: Readonly<Record<SocketOption['readBack'], string>> = {
  same: 'the same value is read back',
  doubled: 'twice the value is read back, as the kernel counts its own overhead in',
  rounded: 'the value is read back, rounded up to what the kernel can do',
  none: 'nothing is read back: it wears off, or is seen to by watching the connection',
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
    ? 'Only sockets that bind a local address (`localAddress`), before they do. Other sockets cost nothing.'
    : `It is set before bind(2)${outgoing}${datagram}.`;
}

function notes(row: OptionRow): string[] {
  const needed = OPTION_ROWS.find((candidate) => candidate.key === row.requires);
  return [
    ...(needed === undefined ? [] : [`Only with \`${needed.variable}=on\`.`]),
    ...(row.clientSpeaksFirst ? ['Only http, https, tls and http2 servers, whose clients speak first.'] : []),
    ...(row.since === undefined ? [] : [`Linux ${row.since} and later.`]),
    ...(row.phase === 'before-handshake'
      ? ['It is set before listen(2) or connect(2), as the handshake depends on it.']
      : []),
    ...(row.phase === 'before-bind' ? [beforeBind(row)] : []),
    ...(row.guards ? ['Part of the guard of outgoing sockets (`SOCKET_TUNE_CONNECT=guard`).'] : []),
    ...(row.onceConnected ? ['On an outgoing socket it is set once that is connected.'] : []),
    ...(row.floor === undefined ? [] : ['The value is a least one.']),
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
    'with `SOCKET_TUNE_CONNECT=on`), `datagram`. It is read back like any other, and reported under its numbers.\n',
    `## Later\n\nThese take more than a call of setsockopt(2), and are not built yet:\n\n${later.join('\n')}\n`,
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(OPTIONS_PAGE, optionsPage());
