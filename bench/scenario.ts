/** Amount of work of a run. */
export interface Effort {
  /** A quick check, with less work and more noise. */
  readonly quick: boolean;
}

export type Cell = string | number | undefined;

/** Figures of a scenario. An undefined cell was not measured. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** Samples of one contender at one point. */
export interface Point {
  /** Position on the horizontal axis: a number for a curve, any text for bars. */
  readonly x: number | string;
  /** One value a round, in the order of the rounds, so those of two contenders pair up. */
  readonly samples: readonly number[];
}

export interface Series {
  readonly contender: string;
  /** Published figures of others, not measured here. */
  readonly isQuoted?: true;
  readonly points: readonly Point[];
}

/** Figures side by side: a chart on the page, and a table in the text. */
export interface Comparison {
  /** Unique and stable: generated pages find their figures by it. */
  readonly id: string;
  readonly title: string;
  /** One sentence for people who do not know socket-tune. */
  readonly what: string;
  readonly unit: string;
  readonly better: 'lower' | 'higher';
  /** Bars with their spread compare contenders; curves show growth. */
  readonly kind: 'bars' | 'curve';
  readonly xTitle: string;
  readonly xScale?: 'linear' | 'log';
  readonly yScale?: 'linear' | 'log';
  readonly series: readonly Series[];
}

export interface Result {
  readonly tables: readonly Table[];
  readonly comparisons?: readonly Comparison[];
  /** Facts for the reading of the figures. */
  readonly notes: readonly string[];
}

/** One measurement. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** Runs by name only. */
  readonly onlyByName?: true;
  run(effort: Effort): Promise<Result>;
}
