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

export interface Result {
  readonly tables: readonly Table[];
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

/** The goal beside its figure. A missed goal is for people to judge: the machine has its say in every figure. */
export function goal(figure: number, atMost: number, unit = ''): string {
  return `<= ${atMost}${unit}: ${figure <= atMost ? 'reached' : 'MISSED'}`;
}
