/** Seconds that a scenario takes on two cores of a server's processor with nothing else to do. */
interface Duration {
  readonly quick: number;
  readonly full: number;
}

/** Only for saying how long it takes: nothing that is measured depends on them. What two scenarios measure together counts with the first. */
const DURATIONS: Readonly<Record<string, Duration>> = {
  files: { quick: 12, full: 124 },
  connections: { quick: 12, full: 106 },
  'raw-tcp': { quick: 9, full: 107 },
  cold: { quick: 6, full: 52 },
  'slow-readers': { quick: 6, full: 19 },
  'small-requests': { quick: 8, full: 55 },
  accept: { quick: 5, full: 20 },
  cluster: { quick: 5, full: 38 },
  restarts: { quick: 4, full: 27 },
  link: { quick: 30, full: 500 },
  'start-up': { quick: 3, full: 11 },
  apply: { quick: 3, full: 28 },
  'tcp-info': { quick: 1, full: 1 },
  seed: { quick: 4, full: 11 },
  limits: { quick: 40, full: 120 },
  'link-sizes': { quick: 200, full: 400 },
  'dead-peer': { quick: 20, full: 60 },
};

export function hasDuration(name: string): boolean {
  return name in DURATIONS;
}

function seconds(count: number): string {
  const rounded = Math.max(1, Math.round(count));
  return rounded < 120 ? `${rounded} s` : `${Math.round(rounded / 60)} min`;
}

/** Tells what is left of a run. */
export class Countdown {
  readonly #names: readonly string[];
  readonly #quick: boolean;
  /** Of what is done: what it took, and what it was expected to take. */
  #taken = 0;
  #expected = 0;

  constructor(names: readonly string[], quick: boolean) {
    this.#names = names;
    this.#quick = quick;
  }

  #of(names: readonly string[]): number {
    return names.reduce((sum, name) => sum + (DURATIONS[name]?.[this.#quick ? 'quick' : 'full'] ?? 0), 0);
  }

  done(name: string, taken: number): void {
    this.#taken += taken;
    this.#expected += this.#of([name]);
  }

  /** What comes now. A machine that was slow so far stays slow; of one that has done nothing yet, nothing is known. */
  line(name: string): string {
    const place = this.#names.indexOf(name);
    const pace = this.#expected > 0 ? this.#taken / this.#expected : 1;
    const idle = this.#expected > 0 ? '' : ' (on an idle machine)';
    const rest = this.#names.slice(place + 1);
    const after = rest.length === 0 ? '' : `; then ${rest.length} more, about ${seconds(this.#of(rest) * pace)}`;
    return `[${place + 1} of ${this.#names.length}] ${name}: about ${seconds(this.#of([name]) * pace)}${after}${idle}`;
  }
}
