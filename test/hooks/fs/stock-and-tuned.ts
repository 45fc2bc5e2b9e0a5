import { expect } from 'chai';
import { type EndedProcess, runApp } from '../../support/processes/node-process.js';

/** The hook comes with the first listener. The file system is known a moment after the first call. */
const PRELUDE = `
const fs = require('fs');
const { once } = require('events');
const file = __filename;
const nothing = file + '.nothing';
const log = [];
const callback = (act) => new Promise((resolve) => {
  try {
    act((error, value) => resolve([error?.code, error?.stack, value]));
  } catch (error) {
    resolve(['thrown', error.message]);
  }
});
const warm = async () => {
  const server = require('net').createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  for (let round = 0; round < 2; round++) {
    await callback((done) => fs.stat(file, done));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  server.close();
};
const run = (app) => warm().then(app).then(() => console.log(JSON.stringify(log)));
`;

export interface Run {
  readonly stock: EndedProcess;
  readonly tuned: EndedProcess;
}

/** An app by Node alone, and under the preload. */
export async function both(app: string, options: Parameters<typeof runApp>[2] = {}): Promise<Run> {
  const stock = await runApp('cjs', PRELUDE + app, { ...options, preload: [] });
  const tuned = await runApp('cjs', PRELUDE + app, options);
  return { stock, tuned };
}

/** Names of files differ, as each app is a file of its own. */
function outcome({ code, stdout, stderr }: EndedProcess): unknown {
  return [code, ...[stdout, stderr].map((text) => text.replace(/app-\d+/g, 'app').replace(/node:\d+/g, 'node'))];
}

export function expectSame({ stock, tuned }: Run): void {
  expect(stock.code, stock.stderr).to.equal(0);
  expect(outcome(tuned)).to.deep.equal(outcome(stock));
}

export function inline({ tuned }: Run, name: string): number {
  const calls: Readonly<Record<string, number>> = tuned.report?.files.inlineCalls ?? {};
  return calls[name] ?? 0;
}
