import type { Results, Runs } from '../results.js';
import { othersText } from './other-nodes.js';

/** How we measured, for readers who doubt. */
export function method(runs: Runs): string[] {
  const [{ machine, quick }] = runs;
  const others = othersText(runs);
  return [
    'Contenders take turns in every round, forwards and backwards, so that whatever else the machine does meets all of ' +
      'them; the first round warms up and does not count.',
    machine.isPinned
      ? 'The server runs on one core and the client on another, so that neither takes time from the other.'
      : 'Server and client could not be given a core each here, so they disturb each other.',
    'The main figure is CPU time: what the kernel says that the server’s process has used, by the number of requests. It ' +
      'depends less on the machine’s other work than the throughput does.',
    'The client throws bodies away inside the kernel (recv with MSG_TRUNC), so that it is never what is measured.',
    'Bars and points are medians of the rounds, of which there are three or more; lines across them reach from the least to the ' +
      'greatest round. A share of Node.js’s is the one median divided by the other, both as shown, with three digits.',
    'Where the shares round by round say the opposite of the medians (more instead of less, or less instead of more), there is ' +
      '“too noisy” in the place of the share; no goal is judged by such a figure.',
    ...(others === undefined ? [] : [others]),
    ...(quick ? ['This was a quick run: fewer rounds, more noise. Without --quick, figures are steadier.'] : []),
  ];
}

/** The machine as pairs of name and value. */
export function machineFacts(results: Results): [name: string, value: string][] {
  const { machine, version, date, seconds } = results;
  const { kernel, node, cpu, cores, memoryGigabytes, isVirtual, loadAverage, nginx, sysctls } = machine;
  return [
    ['Processor', `${cores} × ${cpu}${isVirtual ? ', virtual machine' : ''}`],
    ['Memory', `${memoryGigabytes} GB`],
    ['Linux', kernel],
    ['Node.js', node],
    ['socket-tune', version],
    ...(nginx === undefined ? [] : [['nginx', nginx] as [string, string]]),
    ['Date', `${date.slice(0, 16).replace('T', ' ')} UTC, ${Math.ceil(seconds / 60)} min`],
    ['Load before', String(loadAverage)],
    ...Object.entries(sysctls),
  ];
}
