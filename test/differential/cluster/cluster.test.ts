import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Performance, perform, type Way } from '../../cluster/ways.js';
import type { Stories } from './scenario.js';

const directory = join(import.meta.dirname, 'stories');

/** How many servers of workers had a listener of their own, which shares its port by what the kernel says. */
function ownListeners({ reports }: Performance): number {
  const listeners = reports.flatMap((report) => report.listeners);
  return listeners.filter(({ outcomes }) =>
    outcomes.some(({ constant, kernel }) => constant === 'SO_REUSEPORT' && kernel === 1),
  ).length;
}

function visible({ process: { code, signal, stdout, stderr }, seen }: Performance): unknown {
  return { code, signal, stdout, stderr, seen };
}

for (const name of readdirSync(directory).filter((file) => file.endsWith('.js'))) {
  const { stories } = (await import(join(directory, name))) as { stories: Stories };

  describe(`a cluster whose workers listen for themselves: ${name.replace('.js', '')}`, () => {
    for (const [title, { own, deviates = [] }] of Object.entries(stories)) {
      it(`sees what stock Node shows it: ${title}`, async () => {
        const ways: readonly Way[] = ['everywhere', 'workersOnly'];
        const [stock, ...tuned] = await Promise.all([
          perform(name, title, 'stock'),
          ...ways.map((way) => perform(name, title, way)),
        ]);
        expect(ownListeners(stock)).to.equal(0);
        for (const [index, performance] of tuned.entries()) {
          const way = ways[index] ?? '';
          if (!deviates.some((one) => one === way)) expect(visible(performance), way).to.deep.equal(visible(stock));
          if (way === 'workersOnly') expect(ownListeners(performance), way).to.equal(own.workersOnly);
          if (way === 'everywhere') expect(ownListeners(performance), way).to.equal(own.everywhere);
        }
      });
    }
  });
}
