import type { TuneConfig } from '../../../src/config/tune-config.js';
import { install as installHere, type Uninstall } from '../../../src/install.js';

const uninstalls = new Set<Uninstall>();

/** Installs socket-tune. If the test fails before it uninstalls, {@link uninstallAll} does. */
export function install(config: TuneConfig): Uninstall {
  const uninstall = installHere(config);
  uninstalls.add(uninstall);
  return () => {
    uninstalls.delete(uninstall);
    uninstall();
  };
}

export function uninstallAll(): void {
  for (const uninstall of uninstalls) uninstall();
  uninstalls.clear();
}

/** Have socket-tune installed in this thread while the tests of a suite run. */
export function useInstalled(config: TuneConfig): void {
  let uninstall: () => void = () => undefined;
  before(() => {
    uninstall = installHere(config);
  });
  after(() => uninstall());
}
