// Process of apply.ts: applies presets to a real connection, and writes its samples as JSON.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { apply, defaultConfig, highThroughputConfig, lowLatencyConfig, type TuneConfig } from '../src/index.js';
import { type ApplySamples, PLAIN } from './apply.js';
import { connect as connectPlainly, setNoDelay } from './sockets.js';

const [rounds = 1, calls = 1] = process.argv.slice(2).map(Number);

/** Rounds until V8 has compiled everything. */
const WARM_UPS = 8;

const CONFIGS: readonly (readonly [string, TuneConfig])[] = [
  ['default', defaultConfig()],
  ['default without quickAck', Object.freeze({ ...defaultConfig(), quickAck: 'off' })],
  ['lowlatency', lowLatencyConfig()],
  ['highthroughput', highThroughputConfig()],
];

/** Calls of one kind, for repetition. */
interface Batch {
  readonly preset: string;
  readonly options: number;
  call(): void;
}

function measure({ preset, options, call }: Batch, times: number): ApplySamples {
  const nanosecondsPerCall: number[] = [];
  const bytesPerCall: number[] = [];
  for (let round = 0; round < times; round++) {
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
// Memory for compilation, of this file's code too, is not part of a call.
for (const batch of batches) measure(batch, WARM_UPS);
console.log(JSON.stringify(batches.map((batch) => measure(batch, rounds))));
process.exit();
