import type { OptionOutcome } from '../../options/outcome.js';
import { formatCount, formatSharing } from '../../report/format.js';
import type { ListenerRecord } from '../../report/listener-record.js';
import type { Snapshot } from '../../report/snapshot.js';
import { dimmed, fill, fillEmpty, html } from './elements.js';

function badge({ constant, asked, kernel, verdict, cause }: OptionOutcome): HTMLElement {
  const attributes = { class: `badge ${verdict}`, title: cause ?? `asked for ${asked}` };
  return html('div', attributes, `${constant} ${kernel ?? asked} `, html('span', {}, verdict));
}

function badges(outcomes: readonly OptionOutcome[], ...before: readonly HTMLElement[]): HTMLElement {
  return html('div', { class: 'badges' }, ...before, ...outcomes.map(badge));
}

function listenerCard({ address, connections, outcomes, accepted, group }: ListenerRecord): HTMLElement {
  const sharing = group === undefined ? '' : `  ${formatSharing(group).join(', ')}`;
  const note = dimmed(`  ${formatCount(connections)} connections${sharing}`);
  const own = accepted.filter(({ verdict }) => verdict !== 'inherited');
  return html(
    'div',
    { class: 'listener' },
    html('div', {}, html('b', {}, address), note),
    badges(outcomes),
    ...(own.length === 0 ? [] : [badges(own, dimmed('on each connection'))]),
  );
}

/** Listeners, with the verdict on each option. */
export function showListeners({ report: { listeners } }: Snapshot): void {
  if (listeners.length === 0) fillEmpty('listeners', 'Nothing listens yet.');
  else fill('listeners', ...listeners.map(listenerCard));
}
