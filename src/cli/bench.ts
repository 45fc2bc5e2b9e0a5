/** The options of the command; see bench/command.ts. */
export interface BenchOptions {
  readonly quick: boolean;
  readonly only?: readonly string[];
  readonly json: boolean;
  readonly out?: string;
}

/** bench/published.ts. The other commands do not load it. */
interface Bench {
  listScenarios(): string;
  measure(options: BenchOptions): Promise<string | boolean>;
}

async function load(): Promise<Bench> {
  return import(new URL('./bench/published.js', import.meta.url).href);
}

export async function scenarios(): Promise<string> {
  const { listScenarios } = await load();
  return listScenarios();
}

/**
 * Measure on this machine.
 *
 * @returns whether all of it could be measured; a text says what is wrong with the options
 */
export async function bench(options: BenchOptions): Promise<string | boolean> {
  const { measure } = await load();
  return measure(options);
}
