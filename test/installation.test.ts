import { createRequire } from 'node:module';
import { expect } from 'chai';
import { subset } from 'semver';

interface Installed {
  readonly engines?: { readonly node?: string };
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
  readonly dev?: boolean;
}

/** What Nest brings along for the tests and benchmarks, and Node 20 runs all the same; what only the tests on newer Nodes load. */
const UNWILLING: readonly string[] = [
  'node_modules/file-type',
  'node_modules/@nestjs/serve-static',
  'node_modules/undici8',
];

describe('an installation', () => {
  const lock: { packages: Readonly<Record<string, Installed>> } = createRequire(import.meta.url)(
    '../../package-lock.json',
  );
  const packages = Object.entries(lock.packages);
  const optional = packages.filter(([, each]) => each.optional === true);
  const needed = packages.filter(([, each]) => each.optional !== true);

  it('runs no script that could fail it', () => {
    const hasScript = ([, each]: readonly [string, Installed]): boolean => each.hasInstallScript === true;
    expect(optional.filter(hasScript).map(([path]) => path)).to.include('node_modules/koffi');
    expect(needed.filter(hasScript).filter(([, each]) => each.dev !== true)).to.deep.equal([]);
  });

  it('has no package that excludes a Node that we support, which npm would warn of', () => {
    const own = lock.packages['']?.engines?.node ?? '';
    const unwilling = needed.filter(([, { engines }]) => engines?.node !== undefined && !subset(own, engines.node));
    expect(own).not.to.equal('');
    expect(unwilling.filter(([path]) => !UNWILLING.includes(path))).to.deep.equal([]);
    for (const [path] of unwilling) expect(lock.packages[path]?.dev, path).to.equal(true);
  });
});
