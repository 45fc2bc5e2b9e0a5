import Mocha from 'mocha';
import { skippedLines } from './support/test-run/skipped.js';

/** How long the process may take to end when all tests have run, for example to end its threads. */
const END_MS = 5000;

/** Fails with the reason if the process does not end. Otherwise its parent would wait for ever. */
function expectEnd(): void {
  const timer = setTimeout(() => {
    console.error(
      `The tests have run, and this keeps their process alive: ${process.getActiveResourcesInfo().join(', ')}`,
    );
    // After mocha's own listener, which goes by the tests.
    process.once('exit', () => {
      process.exitCode = 1;
    });
    process.exit();
  }, END_MS);
  timer.unref();
}

/** Dots. Before them, how many tests there are and how long they take. After them, which were skipped or run twice, and why. */
class AnnouncingDots extends Mocha.reporters.Dot {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    runner.once('start', () => {
      const { time }: { time?: string } = options.reporterOptions ?? {};
      const isWhole = options.grep === undefined && time !== undefined;
      console.log(`\n  ${runner.total} tests${isWhole ? `, ${time}` : ''}`);
    });
    super(runner, options);
    const retried: string[] = [];
    runner.on('retry', (test, error: unknown) => {
      const [cause] = String(error).split('\n', 1);
      retried.push(`run again, as it failed at first: ${test.fullTitle()} (${cause})`);
    });
    runner.once('end', () => {
      for (const line of [...skippedLines(), ...retried]) console.log(`  ${line}`);
      expectEnd();
    });
  }
}

// biome-ignore lint/style/noDefaultExport: this is how mocha loads a reporter.
export default AnnouncingDots;
