import type { EnvironmentConfig } from '../../config/config.js';
import { platform } from '../../native/index.js';
import type { Output } from '../output.js';
import { docs, type Explanation } from './explanation.js';
import { explainOptions, socketTexts } from './options.js';
import { explainSettings } from './settings.js';
import { type SocketScope, scopesOfPort, socketScopes } from './socket-scopes.js';

/** What is to be explained. */
export interface Question {
  /** The listeners on this port, or outgoing sockets to it. Undefined: all. */
  readonly port: number | undefined;
  /** Outgoing sockets alone. */
  readonly connect: boolean;
  /** Options too that this system does not have. */
  readonly all: boolean;
}

const INDENT = '    ';

/** The sockets of the question. */
function askedScopes(environment: EnvironmentConfig, { port, connect }: Question): readonly SocketScope[] {
  const scopes = socketScopes(environment);
  if (port !== undefined)
    return scopesOfPort(scopes, port, ...(connect ? (['outgoing'] as const) : (['listener', 'accepted'] as const)));
  return connect ? scopes.filter(({ targets }) => targets.includes('outgoing')) : scopes;
}

/** Whether an option is worth a place: the system has it, or the user has named it. Without native calls nearly all would be hidden. */
function isShown({ supported, sockets = [] }: Explanation, { all }: Question): boolean {
  const isNamed = sockets.some(({ source }) => source.startsWith('SOCKET_TUNE_'));
  return all || supported || isNamed || platform().unavailable !== undefined;
}

function printExplanation(output: Output, explanation: Explanation): void {
  const { variable, value, text, source, constant, supported, doc, sockets = [] } = explanation;
  const shown = output.style(value === undefined ? 'dim' : 'green', text);
  const where = supported ? [constant] : [`${constant}, which this system does not have`];
  const facts = [source, ...where].filter((fact) => fact !== undefined).join(' · ');
  output.line(`${output.style('bold', variable)} = ${shown}   ${output.style('dim', facts)}`);
  const texts = sockets.length === 0 ? [] : socketTexts(sockets);
  for (const line of [doc, ...texts]) output.paragraph(line, INDENT);
}

/** Printed first, because the rest is true only under these conditions. */
function cautions({ enabled }: EnvironmentConfig): readonly string[] {
  const { unavailable } = platform();
  return [
    ...(enabled
      ? []
      : ['SOCKET_TUNE=off: the preload does nothing at all. Without this variable, the values would be:']),
    ...(unavailable === undefined ? [] : [`Only NODELAY and keepalive are set here: ${unavailable}.`]),
  ];
}

/** Print every option and setting with its value, where that comes from, and what each kind of socket gets. */
export function explain(
  output: Output,
  environment: EnvironmentConfig,
  variables: ReadonlyMap<string, string>,
  { json, preset, ...question }: Question & { readonly json: boolean; readonly preset: string | undefined },
): void {
  const options = explainOptions(askedScopes(environment, question));
  const isGeneral = question.port === undefined && !question.connect;
  const settings = explainSettings(environment, variables, preset);
  // Behind is the idle time of servers, so it belongs to their ports too.
  const shownSettings = question.connect ? [] : settings.filter(({ option }) => isGeneral || option === 'behind');
  const shown = options.filter((option) => isShown(option, question));
  if (json) {
    output.json([...shown, ...shownSettings]);
    return;
  }
  for (const caution of cautions(environment)) output.paragraph(output.style('yellow', caution), '');
  for (const explanation of shown) printExplanation(output, explanation);
  if (shownSettings.length > 0) output.line(`\n${output.style('bold', 'Settings')}`);
  for (const explanation of shownSettings) printExplanation(output, explanation);
  output.line();
  const hidden = options.filter((option) => !shown.includes(option)).map(({ variable }) => variable);
  if (hidden.length > 0) output.paragraph(`Not on this system: ${hidden.join(', ')} (--all explains it too).`, '');
  output.line(`More about each: ${docs('options.md')}`);
}
