import type { OptionOutcome } from '../../options/outcome.js';
import { formatCount, formatDropped, formatQueue, formatQueueAdvice, formatSharing } from '../../report/format.js';
import type { ListenerRecord, QueueRecord } from '../../report/listener-record.js';
import type { Snapshot } from '../../report/snapshot.js';
import { dimmed, fill, fillEmpty, html } from './drawing/elements.js';

/** The cause stands in the text, as a telephone has no way to see a title. */
function badge({ constant, asked, kernel, verdict, cause, note }: OptionOutcome): HTMLElement {
  const why = cause ?? note;
  const attributes = { class: `badge ${verdict}`, title: `asked for ${asked}` };
  const told = why === undefined ? verdict : `${verdict}: ${why}`;
  return html('div', attributes, `${constant} ${kernel ?? asked} `, html('span', {}, told));
}

/** A queue has the colour of a verdict: it was full, it was half full, or neither. */
function queueColour({ limit, highest }: QueueRecord, advice: string | undefined): OptionOutcome['verdict'] {
  if (advice !== undefined) return 'refused';
  return highest > limit / 2 ? 'clamped' : 'applied';
}

function queueBadge(queue: QueueRecord): HTMLElement {
  const advice = formatQueueAdvice(queue);
  const attributes = { class: `badge ${queueColour(queue, advice)}`, title: `its limit comes from ${queue.raise}` };
  return html('div', attributes, `${formatQueue(queue)} `, html('span', {}, advice ?? ''));
}

function badges(outcomes: readonly OptionOutcome[], ...before: readonly HTMLElement[]): HTMLElement {
  return html('div', { class: 'badges' }, ...before, ...outcomes.map(badge));
}

function listenerCard({ address, connections, outcomes, accepted, group, acceptQueue }: ListenerRecord): HTMLElement {
  const sharing = group === undefined ? '' : `  ${formatSharing(group).join(', ')}`;
  const note = dimmed(`  ${formatCount(connections)} connections${sharing}`);
  const own = accepted.filter(({ verdict }) => verdict !== 'inherited');
  return html(
    'div',
    { class: 'listener' },
    html('div', {}, html('b', {}, address), note),
    badges(outcomes, ...(acceptQueue === undefined ? [] : [queueBadge(acceptQueue)])),
    ...(own.length === 0 ? [] : [badges(own, dimmed('on each connection'))]),
  );
}

/** Listeners, with the verdict on each option. */
export function showListeners({ report: { listeners, dropped } }: Snapshot): void {
  if (listeners.length === 0) return fillEmpty('listeners', 'Nothing listens yet.');
  const drops = dropped === undefined ? [] : [dimmed(formatDropped(dropped))];
  fill('listeners', ...listeners.map(listenerCard), ...drops);
}
