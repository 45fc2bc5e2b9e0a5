/** The package whose middleware replaces every response's `write`. */
export const COMPRESSION = 'compression';

/** Whether a file is its code. All of 1.x is this one file, wherever a package manager puts it. */
export function isCompression(file: string): boolean {
  return /[\\/]node_modules[\\/]compression[\\/]index\.js$/.test(file);
}
