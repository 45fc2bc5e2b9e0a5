import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { dependsOn } from '../src/app-manifest.js';
import { useScratch } from './support/files/scratch.js';

describe('what an app depends on', () => {
  const scratch = useScratch();
  const [node, script] = process.argv;
  const directory = process.cwd();

  afterEach(() => {
    process.argv.splice(0, 2, node ?? '', script ?? '');
    process.chdir(directory);
  });

  function manifest(name: string, content: string): string {
    const path = scratch.path(name);
    mkdirSync(join(path, 'lib'), { recursive: true });
    writeFileSync(join(path, 'package.json'), content);
    return path;
  }

  function isNamed(path: string): boolean {
    process.argv[1] = join(path, 'lib', 'app.js');
    return dependsOn('some-package');
  }

  it('is what package.json above its script names', () => {
    expect(isNamed(manifest('with', '{ "dependencies": { "some-package": "^1" } }'))).to.equal(true);
    expect(isNamed(manifest('without', '{ "dependencies": { "another": "^1" } }'))).to.equal(false);
    expect(isNamed(manifest('none', '{}'))).to.equal(false);
    expect(isNamed(scratch.path('nowhere'))).to.equal(false);
  });

  it('is one of some packages where package.json names any of them', () => {
    process.argv[1] = join(manifest('any', '{ "dependencies": { "some-package": "^1" } }'), 'app.js');
    expect(dependsOn('another', 'some-package')).to.equal(true);
    expect(dependsOn('another', 'third')).to.equal(false);
  });

  it('is not what only its development takes', () => {
    expect(isNamed(manifest('development', '{ "devDependencies": { "some-package": "^1" } }'))).to.equal(false);
  });

  it('is looked for further above a package.json that says nothing of it', () => {
    const path = manifest('above', '{ "dependencies": { "some-package": "^1" } }');
    writeFileSync(join(path, 'lib', 'package.json'), '{ "type": "module" }');
    expect(isNamed(path)).to.equal(true);
  });

  it('is looked for where the app was started, as a process manager has a script of its own', () => {
    const path = manifest('started', '{ "dependencies": { "some-package": "^1" } }');
    expect(isNamed(scratch.path('manager'))).to.equal(false);
    process.chdir(join(path, 'lib'));
    expect(isNamed(scratch.path('manager'))).to.equal(true);
  });

  it('is nothing where package.json cannot be understood, and that is no error', () => {
    for (const content of ['', '{', 'null', '[]', '{ "dependencies": null }', '{ "dependencies": "some-package" }']) {
      expect(isNamed(manifest('broken', content)), content).to.equal(false);
    }
  });
});
