import { formatBytes, formatCount } from '../../report/format.js';
import type { Snapshot } from '../../report/snapshot.js';
import { dimmed, fill, html } from './drawing/elements.js';
import { sum } from './sum.js';

function showFigure(id: string, figure: string, note: string): void {
  fill(id, html('b', {}, figure), dimmed(note));
}

/** The four figures at the top. */
export function showFigures({ report, connections }: Snapshot): void {
  const { files } = report;
  const copied = sum(Object.values(files.copiedBytes));
  const copyReasons = copied === 0 ? 'nothing was copied' : Object.keys(files.copiedBytes).join(', ');
  const retransmits = sum(connections.shown.map(({ tcp }) => tcp?.retransmits ?? 0));
  showFigure('open', formatCount(connections.open), `${formatCount(report.connections)} accepted in all`);
  showFigure('sendfile', formatBytes(files.sendfileBytes), `${formatCount(files.reroutedStreams)} streams rerouted`);
  showFigure('copied', formatBytes(copied), copyReasons);
  showFigure('retransmits', formatCount(retransmits), 'segments, of open connections');
}
