import { resolve } from 'node:path';
import { type SampleName, sampleBytes } from '../../support/files/sample-files.js';

/** Scenarios run in the scratch project, where the test has made the sample files. */
const DIRECTORY = resolve('samples');

export function samplePath(name: SampleName): string {
  return resolve(DIRECTORY, name);
}

/** Another file of that directory, such as the certificate. */
export function besideSamples(name: string): string {
  return resolve(DIRECTORY, name);
}

/** Whether bytes are those of a sample file from its beginning, as far as they go. */
export function isPrefix(bytes: Uint8Array, name: SampleName): boolean {
  return sampleBytes(name).subarray(0, bytes.length).equals(bytes);
}

/** Whether bytes are those of a sample file up to its end. */
export function isSuffix(bytes: Uint8Array, name: SampleName): boolean {
  return sampleBytes(name).subarray(-bytes.length).equals(bytes);
}
