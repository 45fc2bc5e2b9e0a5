// The process behind apply.ts: applies presets to a real connection, and writes its samples as JSON.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { apply, defaultConfig, highThroughputConfig, lowLatencyConfig, type TuneConfig } from '../src/index.js';
import { type ApplySamples, PLAIN } from './apply.js';
import { connect as connectPlainly, setNoDelay } from './sockets.js';

const [rounds = 1, calls = 1] = process.argv.slice(2).map(Number);

/** V8 makes and throws away what belongs to code (feedback, bytecode) for that many collections. */
const WARM_UPS = 8;

const CONFIGS: readonly (readonly [string, TuneConfig])[] = [
  ['default', defaultConfig()],
  ['default without quickAck', Object.freeze({ ...defaultConfig(), quickAck: 'off' })],
  ['lowlatency', lowLatencyConfig()],
  ['highthroughput', highThroughputConfig()],
];

/** Some calls of a kind, to be made again and again. */
interface Batch {
  readonly preset: string;
  readonly options: number;
  call(): void;
}

function measure({ preset, options, call }: Batch): ApplySamples {
  const nanosecondsPerCall: number[] = [];
  const bytesPerCall: number[] = [];
  for (let round = 0; round < rounds; round++) {
    globalThis.gc?.();
    const heap = process.memoryUsage().heapUsed;
    const start = process.hrtime.bigint();
    call();
    const nanoseconds = process.hrtime.bigint() - start;
    bytesPerCall.push((process.memoryUsage().heapUsed - heap) / calls);
    nanosecondsPerCall.push(Number(nanoseconds) / calls);
  }
  return { preset, options, nanosecondsPerCall, bytesPerCall };
}

function applying(socket: Socket, preset: string, config: TuneConfig): Batch {
  const outcomes = apply(socket, config);
  const failed = outcomes.find(({ verdict }) => verdict !== 'applied');
  if (failed !== undefined) throw new Error(`${failed.option}: ${failed.verdict}`);
  const call = (): void => {
    for (let done = 0; done < calls; done++) apply(socket, config);
  };
  return { preset, options: outcomes.length, call };
}

function settingPlainly(port: number): Batch {
  const fd = connectPlainly(port, { noDelay: false });
  const call = (): void => {
    for (let done = 0; done < calls; done++) setNoDelay(fd);
  };
  return { preset: PLAIN, options: 1, call };
}

const listener = createServer().listen(0, '127.0.0.1');
await once(listener, 'listening');
const { port: listening } = listener.address() as AddressInfo;
const connection = once(listener, 'connection');
connect(listening, '127.0.0.1');
const [accepted] = await connection;
const batches = [...CONFIGS.map(([preset, config]) => applying(accepted, preset, config)), settingPlainly(listening)];
// What compiling allocates is no part of a call, and what is compiled for one preset serves the others.
for (let warmUp = 0; warmUp < WARM_UPS; warmUp++) {
  globalThis.gc?.();
  for (const { call } of batches) call();
}
console.log(JSON.stringify(batches.map(measure)));
process.exit();
