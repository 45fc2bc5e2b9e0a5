/** Seconds of each scenario on two idle cores of a server's processor. */
interface Duration {
  readonly quick: number;
  readonly full: number;
}

/** For the estimate of the duration only. A measurement that two scenarios share counts with the first. */
const DURATIONS: Readonly<Record<string, Duration>> = {
  frameworks: { quick: 60, full: 415 },
  files: { quick: 12, full: 124 },
  connections: { quick: 12, full: 106 },
  'raw-tcp': { quick: 9, full: 107 },
  cold: { quick: 6, full: 52 },
  'slow-readers': { quick: 6, full: 19 },
  'small-requests': { quick: 8, full: 55 },
  accept: { quick: 5, full: 20 },
  cluster: { quick: 5, full: 38 },
  restarts: { quick: 4, full: 27 },
  drain: { quick: 60, full: 240 },
  'drain-proxies': { quick: 60, full: 240 },
  'drain-clusters': { quick: 60, full: 180 },
  link: { quick: 30, full: 500 },
  'start-up': { quick: 3, full: 11 },
  apply: { quick: 3, full: 28 },
  'tcp-info': { quick: 1, full: 1 },
  seed: { quick: 4, full: 11 },
  limits: { quick: 40, full: 120 },
  'link-sizes': { quick: 200, full: 400 },
  'dead-peer': { quick: 20, full: 60 },
  behind: { quick: 20, full: 136 },
  'stale-pool': { quick: 80, full: 400 },
};

export function hasDuration(name: string): boolean {
  return name in DURATIONS;
}

function seconds(count: number): string {
  const rounded = Math.max(1, Math.round(count));
  return rounded < 120 ? `${rounded} s` : `${Math.round(rounded / 60)} min`;
}

/** Estimate of the time that is left in a run. */
export class Countdown {
  readonly #names: readonly string[];
  readonly #quick: boolean;
  /** Seconds of the finished scenarios: measured and expected. */
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

  /** Text for the next scenario. The estimate assumes that a machine stays as slow as it was so far. */
  line(name: string): string {
    const place = this.#names.indexOf(name);
    const pace = this.#expected > 0 ? this.#taken / this.#expected : 1;
    const idle = this.#expected > 0 ? '' : ' (on an idle machine)';
    const rest = this.#names.slice(place + 1);
    const after = rest.length === 0 ? '' : `; then ${rest.length} more, about ${seconds(this.#of(rest) * pace)}`;
    return `[${place + 1} of ${this.#names.length}] ${name}: about ${seconds(this.#of([name]) * pace)}${after}${idle}`;
  }
}
