import { constants as os } from 'node:os';
import { expect } from 'chai';
import { FileDescriptor } from '../../../src/hooks/files/file-descriptor.js';
import { fakeFiles } from '../../support/files/fake-files.js';

const STREAMS_OWN = 10;
const DUPLICATE = 55;

describe('the descriptor of a file that is being sent', () => {
  const log: string[] = [];
  const files = fakeFiles({
    duplicate: (fd) => {
      log.push(`duplicate ${fd}`);
      return DUPLICATE;
    },
    close: (fd) => {
      log.push(`close ${fd}`);
      return 0;
    },
  });

  beforeEach(() => log.splice(0));

  it('is held until everybody has let go', () => {
    const descriptor = new FileDescriptor(files, STREAMS_OWN, false);
    expect(descriptor.isHeld).to.equal(false);
    descriptor.hold();
    descriptor.hold();
    descriptor.letGo();
    expect(descriptor.isHeld).to.equal(true);
    descriptor.letGo();
    expect(descriptor.isHeld).to.equal(false);
  });

  it('is never closed where it is the stream’s', () => {
    const descriptor = new FileDescriptor(files, STREAMS_OWN, false);
    descriptor.hold();
    descriptor.letGo();
    expect(log).to.deep.equal([]);
    expect(descriptor.fd).to.equal(STREAMS_OWN);
  });

  it('is closed by the last to let go where it is our own', () => {
    const descriptor = new FileDescriptor(files, DUPLICATE, true);
    descriptor.hold();
    descriptor.hold();
    descriptor.letGo();
    expect(log).to.deep.equal([]);
    descriptor.letGo();
    expect(log).to.deep.equal([`close ${DUPLICATE}`]);
    expect(descriptor.fd).to.equal(-1);
  });

  it('becomes our own by being duplicated, once', () => {
    const descriptor = new FileDescriptor(files, STREAMS_OWN, false);
    descriptor.hold();
    expect(descriptor.fd).to.equal(STREAMS_OWN);
    expect(descriptor.own()).to.equal(true);
    expect(descriptor.own()).to.equal(true);
    expect(descriptor.fd).to.equal(DUPLICATE);
    expect(log).to.deep.equal([`duplicate ${STREAMS_OWN}`]);
    descriptor.letGo();
    expect(log).to.deep.equal([`duplicate ${STREAMS_OWN}`, `close ${DUPLICATE}`]);
  });

  it('stays the stream’s where there are no descriptors left', () => {
    const full = fakeFiles({ ...files, duplicate: () => -os.errno.EMFILE });
    const descriptor = new FileDescriptor(full, STREAMS_OWN, false);
    descriptor.hold();
    expect(descriptor.own()).to.equal(false);
    expect(descriptor.fd).to.equal(STREAMS_OWN);
    descriptor.letGo();
    expect(log).to.deep.equal([]);
  });

  it('tells once that nobody holds it any more, after it has been closed', () => {
    const descriptor = new FileDescriptor(files, DUPLICATE, true);
    descriptor.hold();
    descriptor.hold();
    descriptor.whenIdle(() => log.push('idle'));
    descriptor.letGo();
    expect(log).to.deep.equal([]);
    descriptor.letGo();
    expect(log).to.deep.equal([`close ${DUPLICATE}`, 'idle']);
  });
});
