/** Prints the figures of docs/considered.md: npm run bench:considered */
import { COMPILER, hasCompiler } from '../compiler.js';
import { measureConsidered } from './considered.js';

if (hasCompiler) console.table(await measureConsidered(1));
else {
  console.error(`The programs of bench/considered are in C, and there is no ${COMPILER} here.`);
  process.exitCode = 1;
}
