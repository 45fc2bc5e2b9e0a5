import { SETTINGS } from '../../config/settings.js';
import type { CheckResult, Circumstances } from './check.js';
import { isPod } from './surroundings.js';

/** What a manifest of Kubernetes says of the end of a pod. */
export interface PodEnd {
  /** Seconds from the signal to SIGKILL; undefined where it does not say. */
  readonly grace: number | undefined;
  /** Seconds that a preStop takes of them, as far as it says; undefined where there is none. */
  readonly preStop: number | undefined;
}

/** The drain of a process, in seconds. */
export interface Drain {
  /** Undefined: nothing drains. */
  readonly drain: number | undefined;
  readonly drainDelay: number;
}

/** All times are seconds. */
export interface Leaving extends Drain {
  readonly isPod: boolean;
  /** Undefined: not to be seen. */
  readonly end: PodEnd | undefined;
}

/** terminationGracePeriodSeconds of a pod that does not say. */
const KUBERNETES_GRACE = 30;

/** The exit itself: the report, the app's own handlers. */
const EXIT_SECONDS = 5;

const ADVISED = 'SOCKET_TUNE_DRAIN=20s SOCKET_TUNE_DRAIN_DELAY=5s';

/** The number that a pattern finds. */
function numberIn(text: string, pattern: RegExp): number | undefined {
  const [, digits] = pattern.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** What a manifest says, in YAML or JSON. Of several pods, the first that says it. */
export function podEnd(manifest: string): PodEnd {
  const [, preStop] = /\bpreStop\b([\s\S]{0,400})/.exec(manifest) ?? [];
  return {
    grace: numberIn(manifest, /\bterminationGracePeriodSeconds\b["']?\s*:\s*(\d+)/),
    preStop: preStop === undefined ? undefined : (numberIn(preStop, /\bsleep\b\D{0,40}?(\d+)/) ?? 0),
  };
}

/** Whether a process that is told to end has the time for it. */
export function leavingResult({ drain, drainDelay, isPod: inPod, end }: Leaving): CheckResult {
  const isOrchestrated = inPod || end !== undefined;
  if (drain === undefined) {
    const value = 'nothing drains at SIGTERM';
    return isOrchestrated ? { value, verdict: 'advice', mend: ADVISED } : { value, verdict: 'ok' };
  }
  const value = `drains for ${drain} s, ${drainDelay} s after SIGTERM`;
  if (!isOrchestrated) return { value, verdict: 'ok' };
  const { grace = KUBERNETES_GRACE, preStop } = end ?? {};
  const needed = Math.ceil(drain + drainDelay + (preStop ?? 0) + EXIT_SECONDS);
  if (needed > grace) {
    const mend = `terminationGracePeriodSeconds: ${needed}`;
    return { value: `${value}; the pod is killed ${grace} s after SIGTERM`, verdict: 'missing', mend };
  }
  if (drainDelay === 0 && preStop === undefined) {
    return { value: `${value}, without a preStop`, verdict: 'advice', mend: 'SOCKET_TUNE_DRAIN_DELAY=5s' };
  }
  return { value, verdict: 'ok' };
}

/** A setting in seconds; undefined where it has no number. */
function secondsOf(milliseconds: unknown): number | undefined {
  return typeof milliseconds === 'number' ? milliseconds / 1000 : undefined;
}

/** The value of a variable in a manifest: of a container's `env`, or of a ConfigMap. */
function valueIn(manifest: string, variable: string): string | undefined {
  const pattern = new RegExp(`\\b${variable}\\b["']?(?:\\s*:|[\\s,]+["']?value["']?\\s*:)\\s*["']?([^\\s"',}]+)`);
  return pattern.exec(manifest)?.[1];
}

function secondsIn(manifest: string, name: 'drain' | 'drainDelay'): number | undefined {
  const setting = SETTINGS[name];
  const text = valueIn(manifest, setting.variable);
  const parsed = text === undefined ? undefined : setting.kind.parse(text, setting);
  return parsed !== undefined && 'value' in parsed ? secondsOf(parsed.value) : undefined;
}

/** The drain that a manifest sets; undefined where it sets none. */
export function drainIn(manifest: string): Drain | undefined {
  const drain = secondsIn(manifest, 'drain');
  return drain === undefined ? undefined : { drain, drainDelay: secondsIn(manifest, 'drainDelay') ?? 0 };
}

/** Checks the times between a signal and the end. */
export function lookAtLeaving({ environment: { config }, variable, manifest }: Circumstances): CheckResult {
  const own = { drain: secondsOf(config.drain), drainDelay: secondsOf(config.drainDelay) ?? 0 };
  return leavingResult({
    ...((manifest === undefined ? undefined : drainIn(manifest)) ?? own),
    isPod: isPod(variable),
    end: manifest === undefined ? undefined : podEnd(manifest),
  });
}
