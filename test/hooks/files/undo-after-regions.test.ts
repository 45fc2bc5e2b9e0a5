import { expect } from 'chai';
import { FileDescriptor } from '../../../src/hooks/files/file-descriptor.js';
import { FileRegion, liveRegions } from '../../../src/hooks/files/region.js';
import { undoneAfterRegions } from '../../../src/hooks/files/undo-after-regions.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import { fakeFiles } from '../../support/files/fake-files.js';

describe('a patch that regions still need', () => {
  let log: string[];
  let put: () => Undo | undefined;

  beforeEach(() => {
    expect(liveRegions()).to.equal(0);
    log = [];
    put = undoneAfterRegions(() => {
      log.push('patched');
      return () => log.push('unpatched');
    });
  });

  function region(): FileRegion {
    return new FileRegion(new FileDescriptor(fakeFiles({}), 1, false), 0, 1);
  }

  it('is put in place when it is asked for, and taken back at once where no region is on its way', () => {
    expect(log).to.deep.equal([]);
    const undo = put();
    expect(log).to.deep.equal(['patched']);
    undo?.();
    expect(log).to.deep.equal(['patched', 'unpatched']);
  });

  it('stays until the last region has ended', () => {
    const undo = put();
    const regions = [region(), region()];
    undo?.();
    regions[0]?.end();
    expect(log).to.deep.equal(['patched']);
    regions[1]?.end();
    expect(log).to.deep.equal(['patched', 'unpatched']);
  });

  it('stays for good where it is wanted again by then, and is not put in place twice', () => {
    const undo = put();
    const one = region();
    undo?.();
    const undoAgain = put();
    one.end();
    expect(log).to.deep.equal(['patched']);
    undoAgain?.();
    expect(log).to.deep.equal(['patched', 'unpatched']);
  });

  it('can be put in place anew once it was taken back', () => {
    put()?.();
    put()?.();
    expect(log).to.deep.equal(['patched', 'unpatched', 'patched', 'unpatched']);
  });
});
