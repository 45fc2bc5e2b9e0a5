import {
  type Behind,
  FRONTS,
  type Front,
  type FrontName,
  frontIdleTime,
  keepAliveTimeBehind,
} from '../../config/front.js';
import { NODES_TIMES } from '../../node/http.js';
import type { CheckResult, Circumstances } from './check.js';

/** A variable by which a platform shows, and what usually stands in front of servers there. */
export interface Hint {
  readonly variable: string;
  readonly platform: string;
  readonly behind: FrontName;
}

/** The platform's own front comes first: a pod in AWS has the variables of both. */
const HINTS: readonly Hint[] = [
  { variable: 'K_SERVICE', platform: 'Cloud Run', behind: 'gcp' },
  { variable: 'GAE_SERVICE', platform: 'App Engine', behind: 'gcp' },
  { variable: 'ECS_CONTAINER_METADATA_URI_V4', platform: 'ECS', behind: 'alb' },
  { variable: 'AWS_EXECUTION_ENV', platform: 'AWS', behind: 'alb' },
  { variable: 'AWS_REGION', platform: 'AWS', behind: 'alb' },
  { variable: 'WEBSITE_INSTANCE_ID', platform: 'Azure App Service', behind: 'azure' },
  { variable: 'CONTAINER_APP_NAME', platform: 'Azure Container Apps', behind: 'azure' },
  { variable: 'KUBERNETES_SERVICE_HOST', platform: 'Kubernetes', behind: 'nginx' },
];

/** Whether this is a pod, or is configured as one. */
export function isPod(variable: (name: string) => string | undefined): boolean {
  return Boolean(variable('KUBERNETES_SERVICE_HOST'));
}

/** The first thing that hints at something in front of the servers. */
export function hintOf(variable: (name: string) => string | undefined): Hint | undefined {
  return HINTS.find((hint) => Boolean(variable(hint.variable)));
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1000} s`;
}

/** Whether servers keep idle connections for longer than what is in front of them, by all that is known. */
export function frontResult(behind: Behind, hint: Hint | undefined): CheckResult {
  const idle = frontIdleTime(behind);
  const kept = idle === undefined ? NODES_TIMES.keepAliveTimeout : keepAliveTimeBehind(idle);
  const front: Front | undefined = hint && FRONTS[hint.behind];
  if (hint !== undefined && front !== undefined && front.idle >= kept) {
    return {
      value: `servers close idle connections after ${seconds(kept)}; ${hint.variable} hints at ${hint.platform}, where ${front.title} closes them after ${seconds(front.idle)}`,
      verdict: 'advice',
      mend: `SOCKET_TUNE_BEHIND=${hint.behind}`,
    };
  }
  if (idle === undefined) return { value: 'nothing hints at a proxy', verdict: 'ok' };
  return {
    value: `the proxy closes idle connections after ${seconds(idle)}, servers after ${seconds(kept)}`,
    verdict: 'ok',
  };
}

/** Checks what stands in front of the servers. */
export function lookAtFront({ environment, variable }: Circumstances): CheckResult {
  return frontResult(environment.config.behind ?? 'off', hintOf(variable));
}
