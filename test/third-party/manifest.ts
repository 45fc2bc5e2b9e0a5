import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../support/processes/scratch-project.js';

interface Manifest {
  readonly version: string;
  readonly engines?: { readonly node?: string };
}

/** What an installed package says of itself. */
export function manifestOf(name: string): Manifest {
  return JSON.parse(readFileSync(join(repository, 'node_modules', name, 'package.json'), 'utf8')) as Manifest;
}
