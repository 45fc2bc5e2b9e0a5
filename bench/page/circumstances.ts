import type { Results } from '../results.js';

/** How it was measured, for who does not believe it. */
export function method({ machine, quick }: Results): string[] {
  return [
    'Contenders take turns in every round, forwards and backwards, so that whatever else the machine does meets all of ' +
      'them; the first round warms up and does not count.',
    machine.isPinned
      ? 'The server runs on one core and the client on another, so that neither takes time from the other.'
      : 'Server and client could not be given a core each here, so they disturb each other.',
    'The main figure is CPU time: what the kernel says that the server’s process has used, by the number of requests. It ' +
      'depends less on the machine’s other work than the throughput does.',
    'The client throws bodies away inside the kernel (recv with MSG_TRUNC), so that it is never what is measured.',
    'Bars and points are medians of the rounds, lines across them reach from the least to the greatest round, and ratios ' +
      'are medians of the ratios round by round.',
    ...(quick ? ['This was a quick run: fewer rounds, more noise. Without --quick, figures are steadier.'] : []),
  ];
}

/** The machine, as pairs of a name and a value. */
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
