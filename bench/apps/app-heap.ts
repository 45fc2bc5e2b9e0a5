/**
 * Live objects, some 4 MB: as many as a framework and an app's own state bring. V8 paces its collections by the size of the heap, and that of a
 * program of node:http alone is unlike any app's.
 */
export const heap = Array.from({ length: 40_000 }, (_, index) => ({ index, name: `object ${index}` }));
