import type { TuneConfig } from '../../src/config/config.js';
import { install } from '../../src/install.js';

/** Have socket-tune installed in this thread while the tests of a suite run. */
export function useInstalled(config: TuneConfig): void {
  let uninstall: () => void = () => undefined;
  before(() => {
    uninstall = install(config);
  });
  after(() => uninstall());
}
