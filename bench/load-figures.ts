import type { Measured, Sample } from './load.js';
import { type Ratio, ratioCell, ratioOf } from './ratio.js';
import type { Cell, Series, Table } from './scenario.js';
import { median } from './statistics.js';

export function values(measured: Measured, contender: string, of: keyof Sample): number[] | undefined {
  return measured.samples.get(contender)?.map((sample) => sample[of]);
}

function namesIn(measured: readonly Measured[]): string[] {
  return [...new Set(measured.flatMap(({ samples }) => [...samples.keys()]))];
}

/** One figure of all contenders along the horizontal axis. */
export function seriesOf(measured: readonly Measured[], of: keyof Sample): Series[] {
  return namesIn(measured).map((contender) => ({
    contender,
    points: measured.map((one) => ({ x: one.load.x, samples: values(one, contender, of) ?? [] })),
  }));
}

/** One figure of all contenders for one load. */
export function barsOf(measured: Measured, of: keyof Sample): Series[] {
  const { label } = measured.load;
  return namesIn([measured]).map((contender) => ({
    contender,
    points: [{ x: label, samples: values(measured, contender, of) ?? [] }],
  }));
}

/** Ratio of two contenders' figures. */
export function ratioIn(measured: Measured, of: keyof Sample, contender: string, base: string): Ratio {
  return ratioOf(values(measured, contender, of) ?? [], values(measured, base, of) ?? []);
}

/** A row a load and a column a contender, with the ratio of two of them. */
export function tableOf(
  title: string,
  what: string,
  measured: readonly Measured[],
  of: keyof Sample,
  [ours, base]: readonly [string, string] = ['tuned', 'stock'],
): Table {
  const names = namesIn(measured);
  const hasRatio = names.includes(ours) && names.includes(base);
  const row = (one: Measured): Cell[] => [
    one.load.label,
    ...names.map((name) => median(values(one, name, of) ?? [])),
    ...(hasRatio ? [ratioCell(ratioIn(one, of, ours, base))] : []),
  ];
  return { title, columns: [what, ...names, ...(hasRatio ? [`${ours}/${base}`] : [])], rows: measured.map(row) };
}

/** The contender that used its core least, and the loads. There the client, a disk or other programs were a limit. */
export function leastBusy(measured: readonly Measured[]): string {
  const shares = measured.flatMap((one) =>
    namesIn([one]).map((contender) => ({
      what: `${contender}, ${one.load.label}`,
      share: median(values(one, contender, 'busy') ?? []),
    })),
  );
  shares.sort((a, b) => a.share - b.share);
  const told = shares.slice(0, 3).map(({ what, share }) => `${what}: ${Math.round(share * 100)} %`);
  return `a server that could have used more of its core has waited, for the client or for other programs; the most: ${told.join('; ')}`;
}
