/** The package whose middleware replaces every response's `write`. */
export const COMPRESSION = 'compression';

/** Packages that bring the middleware: itself, Next.js with a bundled copy, and servers that depend on it. */
export const COMPRESSION_CARRIERS = [COMPRESSION, 'next', '@react-router/serve', '@remix-run/serve'];

/** Whether a file is its code. All of 1.x is this one file, wherever a package manager puts it, and so is the copy of Next.js. */
export function isCompression(file: string): boolean {
  return /[\\/]node_modules[\\/](?:next[\\/]dist[\\/]compiled[\\/])?compression[\\/]index\.js$/.test(file);
}
