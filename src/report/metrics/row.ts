import type { Report } from '../report.js';

/** Amounts add up over processes and threads; a gauge does not. */
type MetricType = 'counter' | 'amount' | 'gauge';

/** What tells the series of a metric apart. */
export type Label = 'listener' | 'destination' | 'reason' | 'call' | 'socket' | 'option' | 'verdict';

export interface MetricSample {
  readonly labels: Readonly<Partial<Record<Label, string>>>;
  readonly value: number;
}

/** A metric. What Prometheus is served and what OpenTelemetry collects follow from it. */
export interface MetricRow {
  readonly type: MetricType;
  /** In Prometheus, after `socket_tune_`. A counter ends in `_total`. */
  readonly name: string;
  /** In OpenTelemetry, after `socket_tune.`; undefined: it is not sent there. */
  readonly instrument: string | undefined;
  /** As in UCUM, for OpenTelemetry. */
  readonly unit: string;
  readonly help: string;
  readonly labels: readonly Label[];
  /** None of a figure that is not known. */
  samples(report: Report): readonly MetricSample[];
}

/** The samples of a metric without labels. */
export function single(figureOf: (report: Report) => number | undefined): MetricRow['samples'] {
  return (report) => {
    const value = figureOf(report);
    return value === undefined ? [] : [{ labels: {}, value }];
  };
}

/** A sample for each key. */
export function byKey(
  label: Label,
  amountsOf: (report: Report) => Readonly<Record<string, number>>,
): MetricRow['samples'] {
  return (report) => Object.entries(amountsOf(report)).map(([key, value]) => ({ labels: { [label]: key }, value }));
}

/** How values of the same labels become one. */
export type Merge = (one: number, other: number) => number;

export function add(one: number, other: number): number {
  return one + other;
}

/** One sample for each key, though records may have the same. */
export function merged<R>(
  label: Label,
  merge: Merge,
  records: readonly R[],
  keyOf: (record: R, index: number) => string,
  figureOf: (record: R) => number | undefined,
): readonly MetricSample[] {
  const values = new Map<string, number>();
  for (const [index, record] of records.entries()) {
    const value = figureOf(record);
    if (value === undefined) continue;
    const key = keyOf(record, index);
    const other = values.get(key);
    values.set(key, other === undefined ? value : merge(other, value));
  }
  return [...values].map(([key, value]) => ({ labels: { [label]: key }, value }));
}
