/** How much work a run may do. */
export interface Effort {
  /** A look at whether things are about right, with less work and more noise. */
  readonly quick: boolean;
}

export type Cell = string | number | undefined;

/** Figures of a scenario. A cell that is undefined was not measured. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** What was measured of one contender in one circumstance. */
export interface Point {
  /** Where it stands on the horizontal axis: a number for a curve, any text for bars. */
  readonly x: number | string;
  /** One value of each round, in the order of the rounds, so that those of two contenders can be paired. */
  readonly samples: readonly number[];
}

export interface Series {
  readonly contender: string;
  /** Somebody else's figures, which were not measured here. */
  readonly isQuoted?: true;
  readonly points: readonly Point[];
}

/** Figures that are to be seen side by side: a chart of the page, and a table of the text. */
export interface Comparison {
  /** Unique among all, and stable: what is generated from the results finds its figures by it. */
  readonly id: string;
  readonly title: string;
  /** One sentence for people who know nothing of us. */
  readonly what: string;
  readonly unit: string;
  readonly better: 'lower' | 'higher';
  /** Bars with their spread compare contenders; curves show how something grows. */
  readonly kind: 'bars' | 'curve';
  readonly xTitle: string;
  readonly xScale?: 'linear' | 'log';
  readonly yScale?: 'linear' | 'log';
  readonly series: readonly Series[];
}

export interface Result {
  readonly tables: readonly Table[];
  readonly comparisons?: readonly Comparison[];
  /** What one has to know to read the figures. */
  readonly notes: readonly string[];
}

/** One thing that is measured. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** Runs only when it is asked for by name. */
  readonly onlyByName?: true;
  run(effort: Effort): Promise<Result>;
}
