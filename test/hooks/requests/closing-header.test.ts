import { expect } from 'chai';
import { withClose } from '../../../src/hooks/requests/closing-header.js';

function header(...lines: readonly string[]): string {
  return `${['HTTP/1.1 200 OK', ...lines].join('\r\n')}\r\n\r\n`;
}

describe('a header block that is to say that the connection ends', () => {
  it('has its keep-alive replaced, in whatever case, and Keep-Alive taken out', () => {
    const block = header('Date: now', 'Connection: keep-alive', 'Keep-Alive: timeout=5', 'Content-Length: 2');
    expect(withClose(block)).to.equal(header('Date: now', 'Connection: close', 'Content-Length: 2'));
    expect(withClose(header('CONNECTION:  Keep-Alive '))).to.equal(header('Connection: close'));
  });

  it('has the line added where it has none', () => {
    expect(withClose(header('Content-Length: 2'))).to.equal(header('Content-Length: 2', 'Connection: close'));
  });

  it('is left alone where it says so, or says something else', () => {
    for (const said of ['close', 'Upgrade', 'keep-alive, x']) {
      expect(withClose(header(`Connection: ${said}`)), said).to.equal(undefined);
    }
  });

  it('has no other line mistaken for it', () => {
    const lines = ['X-Connection: keep-alive', 'X-Note: Connection: keep-alive'];
    expect(withClose(header(...lines))).to.equal(header(...lines, 'Connection: close'));
  });
});
