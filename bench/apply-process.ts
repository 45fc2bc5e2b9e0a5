// The process behind apply.ts: applies presets to a real connection, and writes its samples as JSON.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { apply, defaultConfig, highThroughputConfig, lowLatencyConfig, type TuneConfig } from '../src/index.js';
import { type ApplySamples, PLAIN } from './apply.js';
import { connect as connectPlainly, setNoDelay } from './sockets.js';

const [rounds = 1, calls = 1] = process.argv.slice(2).map(Number);

const WARM_UPS = 4;

const CONFIGS: readonly (readonly [string, TuneConfig])[] = [
  ['default', defaultConfig()],
  ['default without quickAck', Object.freeze({ ...defaultConfig(), quickAck: 'off' })],
  ['lowlatency', lowLatencyConfig()],
  ['highthroughput', highThroughputConfig()],
];

function measure(preset: string, options: number, callAgainAndAgain: () => void): ApplySamples {
  // What compiling allocates is no part of a call.
  for (let warmUp = 0; warmUp < WARM_UPS; warmUp++) callAgainAndAgain();
  const nanosecondsPerCall: number[] = [];
  const bytesPerCall: number[] = [];
  for (let round = 0; round < rounds; round++) {
    globalThis.gc?.();
    const heap = process.memoryUsage().heapUsed;
    const start = process.hrtime.bigint();
    callAgainAndAgain();
    const nanoseconds = process.hrtime.bigint() - start;
    bytesPerCall.push((process.memoryUsage().heapUsed - heap) / calls);
    nanosecondsPerCall.push(Number(nanoseconds) / calls);
  }
  return { preset, options, nanosecondsPerCall, bytesPerCall };
}

function sample(socket: Socket, preset: string, config: TuneConfig): ApplySamples {
  const outcomes = apply(socket, config);
  const failed = outcomes.find(({ verdict }) => verdict !== 'applied');
  if (failed !== undefined) throw new Error(`${failed.option}: ${failed.verdict}`);
  return measure(preset, outcomes.length, () => {
    for (let call = 0; call < calls; call++) apply(socket, config);
  });
}

function samplePlain(port: number): ApplySamples {
  const fd = connectPlainly(port, { noDelay: false });
  return measure(PLAIN, 1, () => {
    for (let call = 0; call < calls; call++) setNoDelay(fd);
  });
}

const listener = createServer().listen(0, '127.0.0.1');
await once(listener, 'listening');
const { port: listening } = listener.address() as AddressInfo;
const connection = once(listener, 'connection');
connect(listening, '127.0.0.1');
const [accepted] = await connection;
const samples = CONFIGS.map(([preset, config]) => sample(accepted, preset, config));
console.log(JSON.stringify([...samples, samplePlain(listening)]));
process.exit();
