/**
 * Runs one case of one module of cases and writes down what it saw when the process ends. The comparison starts it
 * without the preload, and with it in each of the ways:
 *
 *   node [--import socket-tune/register] program.js <module> <title> <directory of sample files> <file for the observations>
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case } from '../files/scenario.js';
import { Witness } from './recorder.js';

const [module = '', title = '', samples = '', output = ''] = process.argv.slice(2);
const { cases } = (await import(join(import.meta.dirname, 'cases', module))) as { cases: Record<string, Case> };
const witness = new Witness(samples);
process.once('exit', () => writeFileSync(output, JSON.stringify(witness.observations())));
await cases[title]?.run(witness);
