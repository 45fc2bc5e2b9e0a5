/** Read at a glance, in the light and in the dark; everything that comes from outside is set as text, never as markup. */
export const STYLE = `
:root { color-scheme: light dark; --bg: #f6f7f9; --card: #fff; --ink: #1b1f24; --dim: #626c78; --line: #dfe3e8;
  --a: #0b7285; --b: #c2410c; --ok: #1a7f37; --warn: #9a6700; --bad: #cf222e; --calm: #57606a; }
@media (prefers-color-scheme: dark) {
  :root { --bg: #0f1317; --card: #181d23; --ink: #e6e9ed; --dim: #929dab; --line: #2b323b;
    --a: #3bc9db; --b: #ff922b; --ok: #4cc38a; --warn: #e3b341; --bad: #ff7b72; --calm: #9aa5b1; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink); font: 14px/1.45 system-ui, sans-serif; }
main, header { max-width: 1180px; margin: 0 auto; padding: 0 20px; }
header { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: baseline; padding-top: 18px; }
h1 { font-size: 18px; margin: 0; }
h2 { font-size: 13px; margin: 0 0 10px; color: var(--dim); font-weight: 600; text-transform: uppercase; letter-spacing: .04em; }
.dim { color: var(--dim); }
.gone { color: var(--bad); font-weight: 600; }
main { display: grid; grid-template-columns: repeat(12, minmax(0, 1fr)); gap: 14px; padding-top: 14px; padding-bottom: 40px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; grid-column: span 12; overflow-x: auto; }
.figure { grid-column: span 3; }
.figure b { display: block; font-size: 24px; line-height: 1.2; font-variant-numeric: tabular-nums; white-space: nowrap; }
.half { grid-column: span 6; }
@media (max-width: 760px) { .figure { grid-column: span 6; } .half { grid-column: span 12; } main, header { padding-left: 10px; padding-right: 10px; } }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 5px 0 5px 14px; border-top: 1px solid var(--line); white-space: nowrap; }
th { border-top: 0; color: var(--dim); font-weight: 500; font-size: 12px; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
.listener { border-top: 1px solid var(--line); padding: 10px 0; }
.listener:first-of-type { border-top: 0; padding-top: 0; }
.badges { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 8px; }
.badge { border: 1px solid var(--line); border-left: 4px solid var(--calm); border-radius: 5px; padding: 1px 8px; font-size: 12px; }
.badge span { color: var(--dim); }
.badge.applied, .badge.inherited { border-left-color: var(--ok); }
.badge.clamped, .badge.inert { border-left-color: var(--warn); }
.badge.refused { border-left-color: var(--bad); }
svg { display: block; width: 100%; height: 150px; }
svg text { fill: var(--dim); font-size: 11px; }
.grid { stroke: var(--line); }
.line-a { stroke: var(--a); } .line-b { stroke: var(--b); }
.line-a, .line-b { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; }
.bar { fill: var(--a); }
.key::before { content: ''; display: inline-block; width: 14px; height: 3px; margin: 0 6px 3px 0; background: var(--a); }
.key.b::before { background: var(--b); }
.key { margin-right: 16px; color: var(--dim); }
.reason { display: grid; grid-template-columns: minmax(0, 1fr) 90px 110px; gap: 10px; align-items: center; padding: 3px 0; }
.reason i { display: block; height: 8px; border-radius: 4px; background: var(--b); }
.reason b { text-align: right; font-weight: 500; font-variant-numeric: tabular-nums; }
`;

export const SCRIPT = `
'use strict';
const SVG = 'http://www.w3.org/2000/svg';
const PERIOD = 1000, MOST = 60;
const history = [];
let last;

const $ = (id) => document.getElementById(id);
function make(name, attributes, ...children) {
  const element = name.startsWith('svg:') ? document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
const fill = (id, ...children) => $(id).replaceChildren(...children);

function bytes(value) {
  if (value === undefined) return '–';
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (value >= 1024 && unit < 4) { value /= 1024; unit++; }
  return (unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)) + ' ' + units[unit];
}
const count = (value) => value === undefined ? '–' : value.toLocaleString('en');
function time(us) {
  if (us === undefined) return '–';
  return us < 1000 ? us + ' µs' : us < 1e6 ? (us / 1000).toFixed(us < 1e5 ? 1 : 0) + ' ms' : (us / 1e6).toFixed(1) + ' s';
}
function age(ms) {
  const s = Math.floor(ms / 1000);
  if (s < 60) return s + ' s';
  if (s < 3600) return Math.floor(s / 60) + ' min ' + s % 60 + ' s';
  return s < 86400 ? Math.floor(s / 3600) + ' h ' + Math.floor(s % 3600 / 60) + ' min' : Math.floor(s / 86400) + ' d ' + Math.floor(s % 86400 / 3600) + ' h';
}
const sum = (amounts) => Object.values(amounts).reduce((total, amount) => total + amount, 0);
const empty = (text) => make('p', { class: 'dim' }, text);

function figures({ report, connections }) {
  const { files } = report;
  const copied = sum(files.copiedBytes);
  const again = connections.shown.reduce((total, { tcp }) => total + (tcp?.retransmits ?? 0), 0);
  fill('open', make('b', {}, count(connections.open)), make('span', { class: 'dim' }, count(report.connections) + ' accepted in all'));
  fill('sent', make('b', {}, bytes(files.sendfileBytes)), make('span', { class: 'dim' }, count(files.reroutedStreams) + ' streams rerouted'));
  fill('copied', make('b', {}, bytes(copied)), make('span', { class: 'dim' }, copied === 0 ? 'nothing had to be' : Object.keys(files.copiedBytes).join(', ')));
  fill('again', make('b', {}, count(again)), make('span', { class: 'dim' }, 'segments, of open connections'));
}

function badge({ constant, asked, kernel, verdict, cause }) {
  const value = kernel ?? asked;
  const element = make('div', { class: 'badge ' + verdict, title: cause ?? 'asked for ' + asked }, constant + ' ' + value + ' ');
  element.append(make('span', {}, verdict));
  return element;
}

function group({ group }) {
  if (group === undefined) return '';
  const even = group.imbalance === undefined ? '' : ', imbalance ' + group.imbalance.toFixed(2);
  return '  ' + group.listeners + ' listeners share the port' + even;
}

function listeners({ report }) {
  if (report.listeners.length === 0) return fill('listeners', empty('Nothing listens yet.'));
  fill('listeners', ...report.listeners.map((listener) => {
    const parts = [make('div', {}, make('b', {}, listener.address), make('span', { class: 'dim' }, '  ' + count(listener.connections) + ' connections' + group(listener)))];
    parts.push(make('div', { class: 'badges' }, ...listener.outcomes.map(badge)));
    const own = listener.accepted.filter(({ verdict }) => verdict !== 'inherited');
    if (own.length > 0) parts.push(make('div', { class: 'badges' }, make('span', { class: 'dim' }, 'on each connection'), ...own.map(badge)));
    return make('div', { class: 'listener' }, ...parts);
  }));
}

function throughput(snapshot) {
  const { files } = snapshot.report;
  const now = { at: snapshot.at, a: files.sendfileBytes, b: sum(files.copiedBytes) };
  if (last !== undefined && now.at > last.at) {
    const seconds = (now.at - last.at) / 1000;
    history.push({ a: Math.max(0, now.a - last.a) / seconds, b: Math.max(0, now.b - last.b) / seconds });
    if (history.length > MOST) history.shift();
  }
  last = now;
  const most = Math.max(1024, ...history.map(({ a, b }) => Math.max(a, b)));
  const width = 600, height = 150, foot = 8, head = 16;
  const y = (value) => head + (height - foot - head) * (1 - value / most);
  const path = (key) => history.map((sample, index) =>
    (index === 0 ? 'M' : 'L') + (width - (history.length - 1 - index) * width / (MOST - 1)).toFixed(1) + ' ' + y(sample[key]).toFixed(1)).join('');
  const svg = make('svg:svg', { viewBox: '0 0 ' + width + ' ' + height, preserveAspectRatio: 'none', role: 'img', 'aria-label': 'bytes a second by path' });
  for (const share of [0, 0.5, 1]) svg.append(make('svg:line', { class: 'grid', x1: 0, x2: width, y1: y(most * share), y2: y(most * share) }));
  svg.append(make('svg:path', { class: 'line-b', d: path('b') }), make('svg:path', { class: 'line-a', d: path('a') }));
  const latest = history.at(-1) ?? { a: 0, b: 0 };
  fill('throughput', svg, make('div', {},
    make('span', { class: 'key' }, 'sendfile ' + bytes(latest.a) + '/s'), make('span', { class: 'key b' }, 'copied ' + bytes(latest.b) + '/s'),
    make('span', { class: 'dim' }, 'top line ' + bytes(most) + '/s, last minute')));
}

function roundTrips({ connections }) {
  const limits = [100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1e6, Infinity];
  const times = connections.shown.flatMap(({ tcp }) => tcp === undefined ? [] : [tcp.roundTripTime]).sort((a, b) => a - b);
  if (times.length === 0) return fill('rtt', empty('No open connections.'));
  const amounts = limits.map((limit, index) => times.filter((time) => time < limit && time >= (limits[index - 1] ?? 0)).length);
  const most = Math.max(...amounts), width = 600, height = 150, step = width / limits.length;
  const svg = make('svg:svg', { viewBox: '0 0 ' + width + ' ' + height, role: 'img', 'aria-label': 'round-trip times' });
  amounts.forEach((amount, index) => {
    const tall = (height - 40) * amount / most;
    svg.append(make('svg:rect', { class: 'bar', x: index * step + 4, width: step - 8, y: height - 22 - tall, height: Math.max(tall, amount > 0 ? 2 : 0), rx: 2 }));
    if (amount > 0) svg.append(make('svg:text', { x: (index + 0.5) * step, y: height - 27 - tall, 'text-anchor': 'middle' }, String(amount)));
    const limit = limits[index];
    const label = limit === Infinity ? 'more' : limit < 1000 ? limit + ' µs' : limit < 1e6 ? limit / 1000 + ' ms' : '1 s';
    svg.append(make('svg:text', { x: (index + 0.5) * step, y: height - 6, 'text-anchor': 'middle' }, label));
  });
  const at = (share) => time(times[Math.min(times.length - 1, Math.floor(times.length * share))]);
  fill('rtt', svg, make('span', { class: 'dim' }, 'median ' + at(0.5) + ', 99 of 100 below ' + at(0.99) + '; bars: below the time under them'));
}

function reasons({ report }) {
  const { files } = report;
  const rows = [
    ...Object.entries(files.notRerouted).map(([reason, amount]) => [reason, amount, count(amount) + ' streams']),
    ...Object.entries(files.copiedBytes).map(([reason, amount]) => ['copied: ' + reason, amount, bytes(amount)]),
  ];
  if (rows.length === 0) return fill('reasons', empty('No file had to go another way.'));
  const streams = Math.max(1, ...Object.values(files.notRerouted)), copied = Math.max(1, ...Object.values(files.copiedBytes));
  fill('reasons', ...rows.map(([reason, amount, text]) => {
    const bar = make('i', {});
    bar.style.width = Math.max(2, 100 * amount / (reason.startsWith('copied: ') ? copied : streams)) + '%';
    return make('div', { class: 'reason' }, make('span', {}, reason), make('span', {}, bar), make('b', {}, text));
  }));
}

function slowest({ connections }) {
  if (connections.shown.length === 0) return fill('slowest', empty('No open connections.'));
  const heads = ['peer', 'listener', 'age', 'round trip', 'sent again', 'window', 'delivery', 'unsent', 'by sendfile', 'written'];
  const body = connections.shown.slice(0, 20).map(({ peer, listener, age: old, bytesWritten, bytesBySendfile, tcp }) => make('tr', {},
    ...[peer, listener, age(old), time(tcp?.roundTripTime), count(tcp?.retransmits), count(tcp?.congestionWindow),
      tcp?.deliveryRate === undefined ? '–' : bytes(tcp.deliveryRate) + '/s', bytes(tcp?.notSentBytes), bytes(bytesBySendfile), bytes(bytesWritten)]
      .map((text) => make('td', {}, text))));
  fill('slowest', make('table', {}, make('thead', {}, make('tr', {}, ...heads.map((head) => make('th', {}, head)))), make('tbody', {}, ...body)));
}

function show(snapshot) {
  document.title = 'socket-tune ' + snapshot.pid;
  fill('process', 'process ' + snapshot.pid + ', ' + snapshot.title);
  fill('state', make('span', { class: 'dim' }, 'Node ' + snapshot.node + ', up ' + age(snapshot.at - snapshot.began)));
  for (const part of [figures, listeners, throughput, roundTrips, reasons, slowest]) part(snapshot);
}

async function poll() {
  try {
    const response = await fetch('snapshot.json', { cache: 'no-store' });
    if (!response.ok) throw new Error(String(response.status));
    show(await response.json());
  } catch {
    fill('state', make('span', { class: 'gone' }, 'The process does not answer; what is shown is what it said last.'));
  }
  setTimeout(poll, PERIOD);
}
poll();
`;

function section(id: string, title: string, kind: string): string {
  return `<section class="${kind}"><h2>${title}</h2><div id="${id}"></div></section>`;
}

/** One file, with nothing from elsewhere. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>socket-tune</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header><h1>socket-tune</h1><span id="process"></span><span id="state"></span></header>
<main>
${section('open', 'Open connections', 'figure')}
${section('sent', 'By sendfile', 'figure')}
${section('copied', 'Copied', 'figure')}
${section('again', 'Sent again', 'figure')}
${section('throughput', 'Files, bytes a second', 'half')}
${section('rtt', 'Round-trip times', 'half')}
${section('listeners', 'Listeners', '')}
${section('reasons', 'Files that went another way', '')}
${section('slowest', 'Slowest connections', '')}
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
