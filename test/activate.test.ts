import { expect } from 'chai';
import { activate, type Parts } from '../src/activate.js';
import type { TuneConfig } from '../src/config/tune-config.js';
import { isInstalled } from '../src/first-use.js';

/** Parts that note each call by its name. */
function recordedParts(calls: string[]): Parts {
  const starting = (name: string) => (target: string | object) => {
    calls.push(`${name} ${typeof target === 'string' ? target : JSON.stringify(target)}`);
    return () => calls.push(`undo ${name}`);
  };
  return {
    forModules: () => calls.push('modules'),
    forSockets: () => calls.push('sockets'),
    forListeners: () => calls.push('listeners'),
    forCluster: () => calls.push('cluster'),
    forDatagrams: () => calls.push('datagrams'),
    forWorkers: () => undefined,
    startEnding: starting('ending'),
    startInspect: starting('inspect'),
  };
}

describe('activate', () => {
  const calls: string[] = [];
  let undo: (() => void) | undefined;

  function deactivate(): void {
    undo?.();
    undo = undefined;
  }

  function activated(config: TuneConfig | undefined): readonly string[] {
    calls.splice(0);
    undo = activate(config, recordedParts(calls));
    return calls;
  }

  afterEach(deactivate);

  // The tests have loaded net, so the listeners are always put in place at once.
  it('puts nothing else in place for a config that is read later, or that needs nothing at once', () => {
    for (const config of [undefined, {}, { noDelay: true, report: 'off', inspect: 'off' }]) {
      expect(activated(config)).to.deep.equal(['listeners']);
      deactivate();
    }
  });

  it('puts the sockets in place at once if outgoing sockets are tuned', () => {
    expect(activated({ connect: {} })).to.deep.equal(['sockets', 'listeners']);
  });

  it('puts the cluster in place at once if the listeners of any port share it', () => {
    expect(activated({ ports: { 8080: { reusePort: 'on' } } })).to.deep.equal(['cluster', 'listeners']);
  });

  it('starts the report and the page last, and takes them back', () => {
    expect(activated({ report: 'exit', inspect: '9465' })).to.deep.equal([
      'listeners',
      'ending {"report":"exit"}',
      'inspect 9465',
    ]);
    deactivate();
    expect(calls.slice(3)).to.deep.equal(['undo ending', 'undo inspect']);
  });

  it('has the process leave its clients at its end only where a drain is asked for', () => {
    expect(activated({ drainDelay: 5000 })).to.deep.equal(['listeners']);
    deactivate();
    expect(activated({ drain: 30_000, drainDelay: 5000 })).to.deep.equal([
      'listeners',
      'ending {"leaving":{"delay":5000,"drain":30000}}',
    ]);
    deactivate();
    expect(activated({ drain: 30_000, report: 'exit' })[1]).to.equal(
      'ending {"report":"exit","leaving":{"delay":0,"drain":30000}}',
    );
  });

  it('counts as installed until it is taken back', () => {
    expect(isInstalled()).to.equal(false);
    activated({});
    expect(isInstalled()).to.equal(true);
    deactivate();
    expect(isInstalled()).to.equal(false);
  });
});
