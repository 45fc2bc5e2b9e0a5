// The page of a process: it asks for a snapshot every second and shows it.
import { formatAge, formatRequests } from '../../report/format.js';
import type { Snapshot } from '../../report/snapshot.js';
import { showConnections } from './connections.js';
import { showDestinations } from './destinations.js';
import { dimmed, fill, html } from './drawing/elements.js';
import { showFigures } from './figures.js';
import { showListeners } from './listeners.js';
import { showReasons } from './reasons.js';
import { showRoundTrips } from './round-trips.js';
import { showThroughput } from './throughput.js';

const PERIOD_MS = 1000;

const PARTS = [
  showFigures,
  showListeners,
  showThroughput,
  showRoundTrips,
  showDestinations,
  showReasons,
  showConnections,
];

function show(snapshot: Snapshot): void {
  const { app, pid, version, node, at, began, report } = snapshot;
  document.title = `${app}, socket-tune ${pid}`;
  fill('process', `${app}, process ${pid}`);
  fill('state', dimmed(`socket-tune ${version}, Node ${node}, up ${formatAge(at - began)}`));
  fill('requests', formatRequests(report.requests).join(', '));
  for (const showPart of PARTS) showPart(snapshot);
}

async function fetchSnapshot(): Promise<Snapshot> {
  const response = await fetch('snapshot.json', { cache: 'no-store' });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

async function poll(): Promise<void> {
  try {
    show(await fetchSnapshot());
  } catch {
    fill('state', html('span', { class: 'gone' }, 'The process does not answer. This is its last answer.'));
  }
  setTimeout(poll, PERIOD_MS);
}

void poll();
