import { median as medianOf, quantile } from 'd3-array';

/** The value in the middle: one disturbed round does not move it, as it would move a mean. NaN of none. */
export function median(values: readonly number[]): number {
  return medianOf(values) ?? Number.NaN;
}

/** The value below which this share of the values lies; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  return quantile(values, share) ?? Number.NaN;
}
