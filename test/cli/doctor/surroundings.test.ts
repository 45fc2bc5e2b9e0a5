import { expect } from 'chai';
import { drainIn, leavingResult, podEnd } from '../../../src/cli/doctor/leaving.js';
import { frontResult, hintOf, isPod } from '../../../src/cli/doctor/surroundings.js';

function variables(set: Readonly<Record<string, string>>): (name: string) => string | undefined {
  return (name) => set[name];
}

describe('what doctor says of what stands in front', () => {
  const ofPod = variables({ KUBERNETES_SERVICE_HOST: '10.0.0.1' });
  const ofAwsPod = variables({ KUBERNETES_SERVICE_HOST: '10.0.0.1', AWS_REGION: 'eu-west-1' });

  it('is what the environment hints at, the platform’s own front first', () => {
    expect(hintOf(variables({}))).to.equal(undefined);
    expect(hintOf(variables({ K_SERVICE: '' }))).to.equal(undefined);
    expect(hintOf(ofPod)).to.include({ behind: 'nginx' });
    expect(hintOf(ofAwsPod)).to.include({ variable: 'AWS_REGION', behind: 'alb' });
    expect(hintOf(variables({ K_SERVICE: 'app' }))).to.include({ behind: 'gcp' });
    expect(hintOf(variables({ WEBSITE_INSTANCE_ID: '1' }))).to.include({ behind: 'azure' });
    expect([isPod(ofPod), isPod(variables({}))]).to.deep.equal([true, false]);
  });

  it('is advice where Node’s 5 s are below it, with what to set', () => {
    expect(frontResult('off', undefined)).to.deep.equal({ value: 'nothing hints at a proxy', verdict: 'ok' });
    const found = frontResult('off', hintOf(ofAwsPod));
    expect(found).to.include({ verdict: 'advice', mend: 'SOCKET_TUNE_BEHIND=alb' });
    expect(found.value).to.include('after 5 s').and.include('AWS_REGION').and.include('after 60 s');
  });

  it('is advice where what was set is below it, and nothing where it is not', () => {
    const google = hintOf(variables({ K_SERVICE: 'app' }));
    expect(frontResult('nginx', google)).to.include({ verdict: 'advice', mend: 'SOCKET_TUNE_BEHIND=gcp' });
    expect(frontResult('gcp', google)).to.include({ verdict: 'ok' });
    expect(frontResult(600_000, google).verdict).to.equal('ok');
    expect(frontResult('nginx', hintOf(ofPod))).to.deep.equal({
      value: 'the proxy closes idle connections after 60 s, servers after 65 s',
      verdict: 'ok',
    });
  });
});

describe('what doctor says of leaving', () => {
  const still = { drain: undefined, drainDelay: 0, isPod: false, end: undefined };

  it('is advice in a pod where nothing drains', () => {
    expect(leavingResult(still)).to.include({ verdict: 'ok' });
    expect(leavingResult({ ...still, isPod: true })).to.include({
      verdict: 'advice',
      mend: 'SOCKET_TUNE_DRAIN=20s SOCKET_TUNE_DRAIN_DELAY=5s',
    });
    expect(leavingResult({ ...still, end: { grace: 60, preStop: 5 } })).to.include({ verdict: 'advice' });
  });

  it('is missing where the pod is killed before the drain is over', () => {
    const pod = { drain: 20, drainDelay: 5, isPod: true, end: undefined };
    expect(leavingResult(pod)).to.include({ verdict: 'ok' });
    // Kubernetes' own 30 s.
    expect(leavingResult({ ...pod, drain: 21 })).to.include({
      verdict: 'missing',
      mend: 'terminationGracePeriodSeconds: 31',
    });
    const end = { grace: 60, preStop: 15 };
    expect(leavingResult({ ...pod, drain: 35, end })).to.include({ verdict: 'ok' });
    expect(leavingResult({ ...pod, drain: 36, end })).to.include({
      verdict: 'missing',
      mend: 'terminationGracePeriodSeconds: 61',
    });
    expect(leavingResult({ ...pod, drain: 300, isPod: false })).to.include({ verdict: 'ok' });
  });

  it('is advice where nothing waits until the endpoint is forgotten', () => {
    const pod = { drain: 20, drainDelay: 0, isPod: true, end: undefined };
    expect(leavingResult(pod)).to.include({ verdict: 'advice', mend: 'SOCKET_TUNE_DRAIN_DELAY=5s' });
    expect(leavingResult({ ...pod, end: { grace: 30, preStop: 5 } })).to.include({ verdict: 'ok' });
    expect(leavingResult({ ...pod, end: { grace: 30, preStop: undefined } })).to.include({ verdict: 'advice' });
  });

  it('reads the manifest of a pod, in YAML and in JSON', () => {
    const yaml = (hook: string): string => `
spec:
  terminationGracePeriodSeconds: 45
  containers:
    - name: app
      lifecycle:
        preStop:
${hook}`;
    expect(podEnd(yaml('          exec: { command: ["sh", "-c", "sleep 7"] }'))).to.deep.equal({
      grace: 45,
      preStop: 7,
    });
    expect(podEnd(yaml('          sleep:\n            seconds: 9'))).to.deep.equal({ grace: 45, preStop: 9 });
    expect(podEnd(yaml('          httpGet: { path: /leave, port: 80 }'))).to.deep.equal({ grace: 45, preStop: 0 });
    const json = JSON.stringify({ spec: { terminationGracePeriodSeconds: 30, containers: [] } }, undefined, 2);
    expect(podEnd(json)).to.deep.equal({ grace: 30, preStop: undefined });
    expect(podEnd('kind: Pod')).to.deep.equal({ grace: undefined, preStop: undefined });
  });

  it('reads the drain that a manifest sets, be it in an env or in a ConfigMap', () => {
    const yaml = `
# SOCKET_TUNE_DRAIN 20 s
env:
  - name: SOCKET_TUNE_DRAIN_DELAY
    value: 5s
  - name: SOCKET_TUNE_DRAIN
    value: "1min"`;
    expect(drainIn(yaml)).to.deep.equal({ drain: 60, drainDelay: 5 });
    const env = [{ name: 'SOCKET_TUNE_DRAIN', value: '20s' }];
    for (const space of [undefined, 2]) {
      expect(drainIn(JSON.stringify({ env }, undefined, space))).to.deep.equal({ drain: 20, drainDelay: 0 });
    }
    expect(drainIn('data:\n  SOCKET_TUNE_DRAIN: 1500ms\n')).to.deep.equal({ drain: 1.5, drainDelay: 0 });
    for (const none of [
      'kind: Pod',
      '- name: SOCKET_TUNE_DRAIN\n  value: "20"',
      '#- name: SOCKET_TUNE_DRAIN\n#  value: 20s',
    ]) {
      expect(drainIn(none)).to.equal(undefined);
    }
  });
});
