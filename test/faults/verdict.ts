import type { Talk } from './talk.js';

/** How an exchange ended: with all bytes, with fewer and the end of the connection, with wrong bytes, out of order, or not at all. */
export type Verdict = 'identical' | 'clean close' | 'wrong' | 'desync' | 'hang';

/** What a body may be. */
export interface Expected {
  isWhole(body: Buffer): boolean;
  /** Bytes that came before the connection ended. */
  isPart(body: Buffer): boolean;
}

export function exactly(bytes: Buffer): Expected {
  return {
    isWhole: (body) => body.equals(bytes),
    isPart: (body) => bytes.subarray(0, body.length).equals(body),
  };
}

/** The body of the second of two pipelined responses. No file contains it. */
export const SECOND_BODY = 'this is the second response';

interface Read {
  readonly body: Buffer;
  readonly isComplete: boolean;
  /** The framing of the chunks is broken. */
  readonly isBroken: boolean;
  readonly rest: Buffer;
}

const CRLF = '\r\n';
const NOTHING = Buffer.alloc(0);

function readChunked(bytes: Buffer): Read {
  const chunks: Buffer[] = [];
  const cutOff = (isBroken: boolean): Read => ({
    body: Buffer.concat(chunks),
    isComplete: false,
    isBroken,
    rest: NOTHING,
  });
  for (let at = 0; ; ) {
    const end = bytes.indexOf(CRLF, at);
    if (end < 0) return cutOff(false);
    const line = bytes.toString('latin1', at, end);
    if (!/^[0-9a-f]+$/.test(line)) return cutOff(true);
    const size = Number.parseInt(line, 16);
    const chunk = bytes.subarray(end + 2, end + 2 + size);
    if (size > 0) chunks.push(chunk);
    at = end + 2 + size + 2;
    if (chunk.length < size || bytes.length < at) return cutOff(false);
    if (bytes.toString('latin1', at - 2, at) !== CRLF) return cutOff(true);
    if (size === 0) return { body: Buffer.concat(chunks), isComplete: true, isBroken: false, rest: bytes.subarray(at) };
  }
}

/** The first response in what a connection brought; undefined if not even its head came. */
function readResponse(bytes: Buffer): Read | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end);
  const after = bytes.subarray(end + 4);
  if (/^transfer-encoding: chunked$/im.test(head)) return readChunked(after);
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
  const body = after.subarray(0, length);
  return { body, isComplete: body.length === length, isBroken: false, rest: after.subarray(length) };
}

function isSecond(bytes: Buffer): boolean {
  const response = readResponse(bytes);
  if (response === undefined || !bytes.toString('latin1', 0, 9).startsWith('HTTP/1.1 ')) return false;
  return response.isComplete && response.body.toString() === SECOND_BODY && response.rest.length === 0;
}

/** Two pipelined requests: one for a file, and one for {@link SECOND_BODY}. */
export function judgeResponses({ bytes, hasEnded }: Talk, expected: Expected): Verdict {
  const first = readResponse(bytes);
  if (first === undefined) return hasEnded ? 'clean close' : 'hang';
  if (first.isBroken || first.body.includes(SECOND_BODY)) return 'desync';
  if (!hasEnded) return 'hang';
  if (!first.isComplete) return expected.isPart(first.body) ? 'clean close' : 'wrong';
  if (first.rest.length > 0 && !isSecond(first.rest)) return 'desync';
  if (!expected.isWhole(first.body)) return 'wrong';
  return first.rest.length === 0 ? 'clean close' : 'identical';
}

/** A file that came over a plain socket, whose end is the connection's. */
export function judgeRaw({ bytes, hasEnded }: Talk, expected: Expected): Verdict {
  if (expected.isWhole(bytes)) return hasEnded ? 'identical' : 'hang';
  if (!expected.isPart(bytes)) return 'wrong';
  return hasEnded ? 'clean close' : 'hang';
}
