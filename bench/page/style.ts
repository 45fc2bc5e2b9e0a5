import { COLOUR_STYLE } from './looks.js';

/** Style for quick reading, in light and dark, also on a telephone. */
export const STYLE = `${COLOUR_STYLE}
:root { color-scheme: light dark; --bg: #f6f7f9; --card: #fff; --ink: #1b1f24; --dim: #59636e; --line: #dfe3e8; --bad: #b42318; --good: #1a7f37; }
@media (prefers-color-scheme: dark) {
  :root { --bg: #0f1317; --card: #181d23; --ink: #e6e9ed; --dim: #9aa5b1; --line: #2b323b; --bad: #ff8a80; --good: #56d364; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
header, main { max-width: 1240px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 12px; }
h2 { font-size: 19px; margin: 36px 0 4px; }
h3 { font-size: 15px; line-height: 1.35; margin: 0; }
p { margin: 0 0 10px; max-width: 76ch; }
a { color: var(--ours); }
.lead { font-size: 17px; }
.dim { color: var(--dim); }
.better { color: var(--dim); font-size: 13px; margin: 2px 0 8px; }
.better b { color: var(--ink); font-weight: 600; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; min-width: 0; margin: 0; }
.card p { font-size: 13px; max-width: none; margin: 4px 0 2px; color: var(--dim); }
.main-chart { margin: 18px 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 370px), 1fr)); gap: 14px; margin: 12px 0; align-items: start; }
.two { columns: 2 420px; column-gap: 14px; }
.two .card { break-inside: avoid; margin-bottom: 14px; }
.two .card h2 { margin: 0 0 8px; }
svg { display: block; width: 100%; height: auto; color: var(--ink); }
.chart { max-width: 520px; }
.narrow { display: none; }
@media (max-width: 700px) { .wide { display: none; } .narrow { display: block; } header, main { padding-left: 10px; padding-right: 10px; } .card { padding: 12px 10px; } }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; list-style: none; padding: 0; margin: 6px 0 0; font-size: 13px; }
.legend svg { display: inline-block; width: 22px; height: 12px; vertical-align: -1px; margin-right: 5px; }
ul.plain { margin: 0; padding-left: 18px; font-size: 14px; }
ul.plain li { margin: 3px 0; }
dl { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 2px 14px; margin: 0; font-size: 13px; }
dt { color: var(--dim); } dd { margin: 0; }
details { margin: 8px 0; font-size: 13px; }
summary { cursor: pointer; color: var(--dim); }
.scenario { border-top: 1px solid var(--line); padding: 5px 0; margin: 0; font-size: 14px; }
.scenario > summary b { color: var(--ink); font-size: 16px; margin-right: 8px; }
details > .card { margin: 10px 0; }
.table { overflow-x: auto; margin: 8px 0; font-size: 13px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
caption { text-align: left; font-weight: 600; padding: 4px 0; }
th, td { text-align: right; padding: 3px 0 3px 14px; border-top: 1px solid var(--line); white-space: nowrap; }
th { border-top: 0; color: var(--dim); font-weight: 500; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
.bad { color: var(--bad); font-weight: 600; } .good { color: var(--good); font-weight: 600; }
footer { color: var(--dim); font-size: 13px; padding: 24px 0 40px; }
`;
