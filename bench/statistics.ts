import { median as medianOf, quantile } from 'd3-array';

/** Median: one disturbed round does not move it, unlike a mean. NaN without values. */
export function median(values: readonly number[]): number {
  return medianOf(values) ?? Number.NaN;
}

/** Quantile: this share of the values is below it. NaN without values. */
export function percentile(values: readonly number[], share: number): number {
  return quantile(values, share) ?? Number.NaN;
}
