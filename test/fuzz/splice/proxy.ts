/**
 * An app that pipes sockets into each other as sessions say, and knows nothing of socket-tune; a run starts it:
 *
 *   node [--import dist/register.js] proxy.js <directory for Unix sockets>
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { kernelPipes } from '../../support/test-run/descriptors.js';
import type { FromProxy, LineRecord, Place, ToProxy } from './messages.js';
import type { LinePlan } from './plan.js';
import { noRecord, ProxyLine } from './proxy-line.js';

const [directory = '.'] = process.argv.slice(2);

/** Lines, and servers that wait for theirs, by session and line. */
const running = new Map<string, { abandon(): void }>();

function tell(message: FromProxy): void {
  process.send?.(message);
}

/** An IPv6 port is told by a negative number. */
function placeOf(server: Server): Place {
  const address = server.address() as AddressInfo | string;
  if (typeof address === 'string') return address;
  return address.family === 'IPv6' ? -address.port : address.port;
}

async function listen(plan: LinePlan, path: string, take: (source: Socket) => void): Promise<Server> {
  const { from, sourceHighWaterMark } = plan;
  const options = {
    allowHalfOpen: true,
    ...(sourceHighWaterMark === undefined ? {} : { highWaterMark: sourceHighWaterMark }),
  };
  const server = createServer(options, (source) => {
    server.close();
    take(source);
  });
  if (from === 'unix') server.listen(path);
  else server.listen(0, from === 'tcp' ? '127.0.0.1' : '::1');
  await once(server, 'listening');
  return server;
}

/** The kernel pipe of a thread has two ends, and is kept for a moment. */
const KEPT = 2;
const MOST_KEPT_MS = 5000;
const LOOK_MS = 50;

const pipesAtStart = kernelPipes();

function tellClosed(number: number, line: number, record: LineRecord): void {
  running.delete(`${number}-${line}`);
  const pipes = kernelPipes() - pipesAtStart;
  if (pipes > KEPT) record.problems.push(`${pipes} descriptors of pipes`);
  tell({ type: 'closed', number, line, record });
}

async function open(number: number, index: number, plan: LinePlan, receivers: readonly Place[]): Promise<Place> {
  const name = `${number}-${index}`;
  const server = await listen(plan, join(directory, `p${name}`), (source) => {
    const line = new ProxyLine(plan, source, receivers);
    running.set(name, line);
    void line.run().then(() => tellClosed(number, index, line.record));
  });
  const abandon = (): void => {
    server.close();
    tellClosed(number, index, { ...noRecord(), problems: ['no connection'] });
  };
  running.set(name, { abandon });
  return placeOf(server);
}

async function begin({ number, plan, receivers }: Extract<ToProxy, { type: 'session' }>): Promise<void> {
  const opened = plan.lines.map((line, index) => open(number, index, line, receivers[index] ?? []));
  tell({ type: 'ready', number, places: await Promise.all(opened) });
}

/** Ends when no kernel pipe is left; says so if one stays. */
async function stop(): Promise<void> {
  for (let looks = 0; kernelPipes() > pipesAtStart && looks < MOST_KEPT_MS / LOOK_MS; looks++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  if (kernelPipes() > pipesAtStart) console.error(`${kernelPipes() - pipesAtStart} descriptors of pipes are left`);
  process.exit();
}

process.once('disconnect', () => process.exit());
process.on('message', (message: ToProxy) => {
  if (message.type === 'stop') void stop();
  else if (message.type === 'abandon') running.get(`${message.number}-${message.line}`)?.abandon();
  else void begin(message);
});
