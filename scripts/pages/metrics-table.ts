/** The table of metrics in docs/observing.md, made from the table in src/report/metrics. As a script it updates the page. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { MetricRow } from '../../src/report/metrics/row.js';
import { METRICS } from '../../src/report/metrics/table.js';
import { Section } from './section.js';

/** The file with the table. */
export const OBSERVING = fileURLToPath(new URL('../../../docs/observing.md', import.meta.url));
const SECTION = new Section('metrics', 'metrics-table');

/** The words of OpenTelemetry. */
const KINDS: Readonly<Record<MetricRow['type'], string>> = {
  counter: 'counter',
  amount: 'up-down counter',
  gauge: 'gauge',
};

function instrumentCell({ instrument, type, unit }: MetricRow): string {
  if (instrument === undefined) return '–';
  return unit === '1' ? `\`${instrument}\`, ${KINDS[type]}` : `\`${instrument}\`, ${KINDS[type]}, \`${unit}\``;
}

function line(row: MetricRow): string {
  const labels = row.labels.length === 0 ? '' : `{${row.labels.join(',')}}`;
  return `| \`socket_tune_${row.name}${labels}\` | ${instrumentCell(row)} | ${row.help.replace(/\.$/, '')} |`;
}

/** The table in Markdown. */
export function metricsTable(): string {
  return ['| Prometheus | OpenTelemetry, after `socket_tune.` | |', '| --- | --- | --- |', ...METRICS.map(line)].join(
    '\n',
  );
}

/** The page with its table. */
export function withMetricsTable(page: string): string {
  return SECTION.in(page, metricsTable());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(OBSERVING, withMetricsTable(readFileSync(OBSERVING, 'utf8')));
}
