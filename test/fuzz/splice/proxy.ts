/**
 * An app that pipes sockets into each other as sessions say, and knows nothing of socket-tune; a run starts it:
 *
 *   node [--import dist/register.js] proxy.js <directory for Unix sockets>
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { kernelPipes } from '../../support/test-run/descriptors.js';
import type { FromProxy, Place, ToProxy } from './messages.js';
import type { LinePlan } from './plan.js';
import { ProxyLine } from './proxy-line.js';

const [directory = '.'] = process.argv.slice(2);
const running = new Map<number, (ProxyLine | undefined)[]>();

function tell(message: FromProxy): void {
  process.send?.(message);
}

/** An IPv6 port is told by a negative number. */
function placeOf(server: Server): Place {
  const address = server.address() as AddressInfo | string;
  if (typeof address === 'string') return address;
  return address.family === 'IPv6' ? -address.port : address.port;
}

async function listen(
  plan: LinePlan,
  path: string,
  receivers: readonly Place[],
  take: (line: ProxyLine) => void,
): Promise<Place> {
  const { from, sourceHighWaterMark } = plan;
  const options = {
    allowHalfOpen: true,
    ...(sourceHighWaterMark === undefined ? {} : { highWaterMark: sourceHighWaterMark }),
  };
  const server = createServer(options, (source) => {
    server.close();
    const line = new ProxyLine(plan, source, receivers);
    take(line);
    line.run().catch((error: unknown) => line.record.problems.push(String(error)));
  });
  if (from === 'unix') server.listen(path);
  else server.listen(0, from === 'tcp' ? '127.0.0.1' : '::1');
  await once(server, 'listening');
  return placeOf(server);
}

async function begin({ number, plan, receivers }: Extract<ToProxy, { type: 'session' }>): Promise<void> {
  const lines: (ProxyLine | undefined)[] = plan.lines.map(() => undefined);
  running.set(number, lines);
  const places = await Promise.all(
    plan.lines.map((line, index) =>
      listen(line, join(directory, `p${number}-${index}`), receivers[index] ?? [], (one) => {
        lines[index] = one;
      }),
    ),
  );
  tell({ type: 'ready', number, places });
}

/** The kernel pipe of a thread has two ends, and is kept for a moment. */
const KEPT = 2;
const MOST_KEPT_MS = 5000;

const pipesAtStart = kernelPipes();

async function finish(number: number): Promise<void> {
  const lines = running.get(number) ?? [];
  for (let round = 0; round < 1000 && !lines.every((line) => line?.isClosed); round++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  running.delete(number);
  const pipes = kernelPipes() - pipesAtStart;
  if (pipes > KEPT) lines[0]?.record.problems.push(`${pipes} descriptors of pipes`);
  for (const line of lines) {
    if (line?.isClosed) continue;
    line?.record.problems.push('sockets of the proxy are not closed');
    line?.destroy();
  }
  const records = lines.map(
    (line) => line?.record ?? { given: [], problems: ['no connection'], bytesRead: 0, hasEnded: false, acts: 0 },
  );
  tell({ type: 'finished', number, lines: records });
}

/** Ends when no kernel pipe is left; says so if one stays. */
async function stop(): Promise<void> {
  const began = performance.now();
  while (kernelPipes() > pipesAtStart && performance.now() - began < MOST_KEPT_MS) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (kernelPipes() > pipesAtStart) console.error(`${kernelPipes() - pipesAtStart} descriptors of pipes are left`);
  process.exit();
}

process.once('disconnect', () => process.exit());
process.on('message', (message: ToProxy) => {
  if (message.type === 'stop') void stop();
  else if (message.type === 'finish') void finish(message.number);
  else void begin(message);
});
