// The process behind apply.ts: applies presets to a real connection, and writes its samples as JSON.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { apply, defaultConfig, highThroughputConfig, lowLatencyConfig, type TuneConfig } from '../src/index.js';
import type { ApplySamples } from './apply.js';

const [rounds = 1, calls = 1] = process.argv.slice(2).map(Number);

const WARM_UPS = 4;

const CONFIGS: readonly (readonly [string, TuneConfig])[] = [
  ['default', defaultConfig()],
  ['default without quickAck', Object.freeze({ ...defaultConfig(), quickAck: 'off' })],
  ['lowlatency', lowLatencyConfig()],
  ['highthroughput', highThroughputConfig()],
];

async function acceptedSocket(): Promise<Socket> {
  const server = createServer().listen(0, '127.0.0.1');
  const connection = once(server, 'connection');
  await once(server, 'listening');
  connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = await connection;
  return socket;
}

function applyAgainAndAgain(socket: Socket, config: TuneConfig): void {
  for (let call = 0; call < calls; call++) apply(socket, config);
}

function sample(socket: Socket, preset: string, config: TuneConfig): ApplySamples {
  const outcomes = apply(socket, config);
  const failed = outcomes.find(({ verdict }) => verdict !== 'applied');
  if (failed !== undefined) throw new Error(`${failed.option}: ${failed.verdict}`);
  // What compiling allocates is no part of a call.
  for (let warmUp = 0; warmUp < WARM_UPS; warmUp++) applyAgainAndAgain(socket, config);
  const nanosecondsPerCall: number[] = [];
  const bytesPerCall: number[] = [];
  for (let round = 0; round < rounds; round++) {
    globalThis.gc?.();
    const heap = process.memoryUsage().heapUsed;
    const start = process.hrtime.bigint();
    applyAgainAndAgain(socket, config);
    const nanoseconds = process.hrtime.bigint() - start;
    bytesPerCall.push((process.memoryUsage().heapUsed - heap) / calls);
    nanosecondsPerCall.push(Number(nanoseconds) / calls);
  }
  return { preset, options: outcomes.length, nanosecondsPerCall, bytesPerCall };
}

const accepted = await acceptedSocket();
console.log(JSON.stringify(CONFIGS.map(([preset, config]) => sample(accepted, preset, config))));
process.exit();
