import { closeSync, openSync, renameSync, truncateSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { contentOf } from './bytes.js';
import type { Change } from './program.js';

/** Do to a file what others do while it is served. */
export function applyChange(path: string, { what, to }: Change): void {
  switch (what) {
    case 'replaced':
      writeFileSync(`${path}.new`, contentOf(to));
      renameSync(`${path}.new`, path);
      break;
    case 'removed':
      unlinkSync(path);
      break;
    case 'rewritten': {
      const fd = openSync(path, 'r+');
      writeSync(fd, contentOf(to), 0, to.size, 0);
      closeSync(fd);
      break;
    }
    case 'written anew':
      writeFileSync(path, contentOf(to));
      break;
    case 'cut':
      truncateSync(path, to.size);
      break;
  }
}
