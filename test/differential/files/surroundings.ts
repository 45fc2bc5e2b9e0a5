import { createHash } from 'node:crypto';
import { snapshot } from '../../support/test-run/node-prototypes.js';

/** What each property of Node's objects is, by its full name, in a form that two processes can compare. */
export type Surroundings = Readonly<Record<string, string>>;

/** Functions are told apart by their source: a replacement cannot have the one that it replaces. */
function describeValue(value: unknown): string {
  if (typeof value !== 'function') return typeof value;
  return createHash('sha1').update(Function.prototype.toString.call(value)).digest('base64');
}

function describeProperty({ value, get, set, ...attributes }: PropertyDescriptor): string {
  return JSON.stringify([describeValue(value), describeValue(get), describeValue(set), attributes]);
}

export function surroundings(): Surroundings {
  return Object.fromEntries([...snapshot()].map(([name, property]) => [name, describeProperty(property)]));
}

/** Names of the properties that are not the same in two processes. */
export function unlike(one: Surroundings, other: Surroundings): string[] {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].filter((name) => one[name] !== other[name]).sort();
}
