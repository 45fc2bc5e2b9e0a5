/**
 * The README's picture, made from a measurement:
 * `node build/bench/main.js --only files --json > files.json && node build/scripts/gain-picture.js files.json`
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PICTURE = fileURLToPath(new URL('../../docs/gain.svg', import.meta.url));

/** Columns of the table that bench/files.ts makes. */
const SERIES = [
  { name: 'Node.js', column: 'stock', colour: '#9aa3ad' },
  { name: 'Node.js with socket-tune', column: 'tuned', colour: '#2f9e57' },
  { name: 'nginx', column: 'nginx', colour: '#5b8def' },
] as const;

const WIDTH = 760;
const LEFT = 70;
const BAR = 16;
const GAP = 22;
const TOP = 64;
const FULL = 520;

interface Measurement {
  readonly machine: { readonly kernel: string; readonly node: string };
  readonly results: { readonly files: { readonly tables: readonly Table[] } };
}

interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${x}" y="${y}" ${attributes}>${content}</text>`;
}

function figure(table: Table, row: number, column: string): number | undefined {
  const value = table.rows[row]?.[table.columns.indexOf(column)];
  return typeof value === 'number' ? value : undefined;
}

/** Bars of one body: each as a share of stock Node's. */
function group(table: Table, row: number, top: number): string[] {
  const stock = figure(table, row, 'stock') ?? Number.NaN;
  const measured = SERIES.filter(({ column }) => figure(table, row, column) !== undefined);
  const bars = measured.flatMap(({ column, colour }, index) => {
    const value = figure(table, row, column) ?? 0;
    const y = top + index * (BAR + 2);
    const width = (value / stock) * FULL;
    const label = `${value.toFixed(0)} µs · ${((value / stock) * 100).toFixed(0)} %`;
    return [
      `<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2" fill="${colour}"/>`,
      text(LEFT + width + 6, y + 12, label, 'class="small"'),
    ];
  });
  return [text(LEFT - 8, top + 12, String(table.rows[row]?.[0] ?? ''), 'text-anchor="end"'), ...bars];
}

function legend(): string[] {
  let x = LEFT;
  return SERIES.flatMap(({ name, colour }) => {
    const entry = [`<rect x="${x}" y="36" width="12" height="12" rx="2" fill="${colour}"/>`, text(x + 18, 46, name)];
    x += 46 + name.length * 7;
    return entry;
  });
}

function picture({ machine, results }: Measurement): string {
  const [table] = results.files.tables;
  if (table === undefined) throw new Error('no table of CPU per request in the measurement');
  const height = SERIES.length * (BAR + 2) + GAP;
  const bottom = TOP + table.rows.length * height;
  const style =
    'text{font:13px system-ui,sans-serif;fill:#24292f}.small{font-size:11px}.title{font-weight:600;font-size:15px}' +
    '@media(prefers-color-scheme:dark){text{fill:#e6edf3}}';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 18}" role="img">`,
    '<title>CPU of the server per request, by the size of the file</title>',
    `<style>${style}</style>`,
    text(LEFT, 20, 'CPU of the server per request, by the size of the file (less is better)', 'class="title"'),
    ...legend(),
    ...table.rows.flatMap((_, row) => group(table, row, TOP + row * height)),
    text(
      LEFT,
      bottom + 8,
      `bench/files.ts, Linux ${machine.kernel}, Node ${machine.node}, 8 connections`,
      'class="small"',
    ),
    '</svg>',
    '',
  ].join('\n');
}

const [, , source] = process.argv;
if (source === undefined) throw new Error('which measurement? node build/scripts/gain-picture.js FILE.json');
writeFileSync(PICTURE, picture(JSON.parse(readFileSync(source, 'utf8'))));
