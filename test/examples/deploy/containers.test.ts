import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse, parseAllDocuments } from 'yaml';
import type { CheckResult } from '../../../src/cli/doctor/check.js';
import { drainIn, leavingResult, podEnd } from '../../../src/cli/doctor/leaving.js';
import { configFromEnvironment } from '../../../src/config/config.js';
import { type NodeProcess, startNode } from '../../support/processes/node-process.js';
import { repository, scratchProject } from '../../support/processes/scratch-project.js';
import { freePort } from '../../support/sockets/free-port.js';
import { textAt } from '../../support/sockets/text-at.js';

const DEPLOY = join(repository, 'examples/deploy');

function read(file: string): string {
  return readFileSync(join(DEPLOY, file), 'utf8');
}

/** The last stage of a Dockerfile: what it sets, and what it runs. Lines that end in a backslash go on. */
function lastStage(dockerfile: string): { env: Record<string, string>; command: string[] } {
  const lines = dockerfile.replaceAll('\\\n', ' ').split('\n');
  const stage = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const pairs = stage.flatMap((line) => (line.startsWith('ENV ') ? Array.from(line.matchAll(/(\w+)=(\S+)/g)) : []));
  const command = stage.find((line) => line.startsWith('CMD '))?.slice('CMD '.length) ?? '[]';
  return { env: Object.fromEntries(pairs.map(([, name, value]) => [name, value])), command: JSON.parse(command) };
}

/** What is ours, without NODE_ENV and the like. */
function ownVariables(env: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(env).filter(([name]) => name.startsWith('SOCKET_TUNE')));
}

/** Our variables must be understood, all of them. */
function expectUnderstood(env: Readonly<Record<string, string>>): void {
  const { problems } = configFromEnvironment(ownVariables(env));
  expect(problems).to.deep.equal([]);
}

interface Named {
  readonly name: string;
  readonly value: string;
}

describe('the container files of examples/deploy', () => {
  it('run the app as the Dockerfile says: it answers, is ready, and ends by the signal', async () => {
    const { env, command } = lastStage(read('Dockerfile'));
    expect(command[0]).to.equal('node');
    expectUnderstood(env);
    cpSync(join(DEPLOY, 'app.js'), join(scratchProject(), 'container/app.mjs'));
    const inspect = await freePort();
    const args = command.slice(1).map((argument) => argument.replace(/^app\.js$/, 'container/app.mjs'));
    const app: NodeProcess = startNode(args, {
      env: { ...env, PORT: '0', SOCKET_TUNE_INSPECT: `0.0.0.0:${inspect}`, SOCKET_TUNE_DRAIN_DELAY: '100ms' },
    });
    const [, port] = await app.until(/port: (\d+)/);
    expect(await textAt(new URL(`http://127.0.0.1:${port}/`))).to.equal('{"hello":"world"}');
    expect(await textAt(new URL(`http://127.0.0.1:${port}/file`))).to.have.length.above(900_000);
    expect(await textAt(new URL(`http://127.0.0.1:${inspect}/ready`))).to.equal('ready\n');
    app.child.kill('SIGTERM');
    const { signal, stderr } = await app.ended;
    expect({ signal, stderr }).to.deep.equal({ signal: 'SIGTERM', stderr: '' });
  });

  it('give the container longer to end than the app takes', () => {
    const { env } = lastStage(read('Dockerfile'));
    const { app } = parse(read('compose.yaml')).services;
    const seconds = (text: string | undefined): number => Number.parseInt(text ?? '', 10);
    const needed = seconds(env.SOCKET_TUNE_DRAIN) + seconds(env.SOCKET_TUNE_DRAIN_DELAY);
    expect(seconds(app.stop_grace_period)).to.be.above(needed);
  });

  it('have a pod that doctor finds nothing to say of, and whose probes are where the app has them', () => {
    const manifest = read('kubernetes.yaml');
    const [deployment, service] = parseAllDocuments(manifest).map((document) => document.toJS());
    const { containers, securityContext, terminationGracePeriodSeconds } = deployment.spec.template.spec;
    const [{ env, ports, readinessProbe, livenessProbe, securityContext: own }] = containers;
    const variables = Object.fromEntries(env.map(({ name, value }: Named) => [name, value]));
    expectUnderstood(variables);
    const { config } = configFromEnvironment(ownVariables(variables));
    const end = podEnd(manifest);
    expect(end.grace).to.equal(terminationGracePeriodSeconds);
    const drain = drainIn(manifest) ?? expect.fail('no drain');
    expect([drain.drain, drain.drainDelay].map((seconds) => Number(seconds) * 1000)).to.deep.equal([
      config.drain,
      config.drainDelay,
    ]);
    const result: CheckResult = leavingResult({ ...drain, isPod: true, end });
    expect(result.verdict).to.equal('ok');
    expect([readinessProbe.httpGet.path, livenessProbe.httpGet.path]).to.deep.equal(['/ready', '/live']);
    const inspect = ports.find(({ name }: Named) => name === readinessProbe.httpGet.port);
    expect(variables.SOCKET_TUNE_INSPECT).to.equal(`0.0.0.0:${inspect.containerPort}`);
    expect([securityContext.runAsNonRoot, own.readOnlyRootFilesystem]).to.deep.equal([true, true]);
    expect(service.spec.ports[0].targetPort).to.equal(ports[0].name);
  });
});
