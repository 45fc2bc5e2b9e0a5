/**
 * Live objects, some 4 MB: as many as a framework and an app's own state bring. A program of node:http alone has fewer. V8 then keeps its young
 * generation at the least size, frees buffers sooner, and uploads and downloads from memory cost less: in stock Node, as anything that is loaded
 * makes it grow. No app with a framework sees that.
 */
export const heap = Array.from({ length: 40_000 }, (_, index) => ({ index, name: `object ${index}` }));
