/** Numbers of the first version in a text: 6, 18 and 44 of `6.18.44-generic`. */
export function versionOf(text: string): readonly number[] {
  return (/\d+(?:\.\d+)*/.exec(text)?.[0] ?? '').split('.').map(Number);
}

/** Whether a version is older than another. */
export function isOlder(version: readonly number[], than: readonly number[]): boolean {
  for (const [index, wanted] of than.entries()) {
    const has = version[index] ?? 0;
    if (has !== wanted) return has < wanted;
  }
  return false;
}
