import Mocha from 'mocha';
import { skippedLines } from './support/test-run/skipped.js';

/** What the process may still have to do when all tests have run, as ending its threads. */
const END_MS = 5000;

/** Fail, and say why, where the process does not end: else whoever waits for it waits for ever. */
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

/** Dots, with how many tests there are and how long they take said before, and what was skipped or run twice, and why, said after. */
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
