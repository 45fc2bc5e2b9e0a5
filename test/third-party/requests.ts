import { parseResponses, type WireResponse } from '../support/sockets/http-wire.js';
import { roundTrip } from './client.js';

interface Request {
  readonly method?: string;
  readonly path: string;
  readonly headers?: readonly string[];
}

/** Requests that are sent at once, over one connection, which closes after the last of them. */
export interface Question {
  readonly title: string;
  readonly requests: readonly Request[];
}

function one(title: string, path: string, headers: readonly string[] = [], method = 'GET'): Question {
  return { title, requests: [{ method, path, headers }] };
}

/** What every app is asked first: the bodies of its files, and ranges. */
export const FILE_QUESTIONS: readonly Question[] = [
  one('a large file', '/data.bin'),
  one('an empty file', '/empty.txt'),
  one('a small file', '/small%20one.txt'),
  one('a page', '/page.htm'),
  one('a range', '/data.bin', ['Range: bytes=70000-800000']),
  one('the end of a file', '/data.bin', ['Range: bytes=-20000']),
  one('all from a byte on', '/data.bin', ['Range: bytes=900000-']),
  one('a range beyond the end', '/data.bin', ['Range: bytes=5000000-']),
  one('two ranges', '/data.bin', ['Range: bytes=0-99,200-299']),
  one('a range that nobody understands', '/data.bin', ['Range: lines=1-2']),
];

/** What is asked then, with what the first answer said about the file. */
export function furtherQuestions(etag: string, lastModified: string): readonly Question[] {
  return [
    one('a head', '/data.bin', [], 'HEAD'),
    one('the head of a range', '/data.bin', ['Range: bytes=0-99'], 'HEAD'),
    one('a file known by its ETag', '/data.bin', [`If-None-Match: ${etag}`]),
    one('a file not modified since', '/data.bin', [`If-Modified-Since: ${lastModified}`]),
    one('a range of the same file', '/data.bin', [`If-Range: ${etag}`, 'Range: bytes=0-70000']),
    one('a range of another file', '/data.bin', ['If-Range: "another"', 'Range: bytes=0-70000']),
    one('a page, compressed or not', '/page.htm', ['Accept-Encoding: gzip']),
    one('no such file', '/none'),
    one('a file outside', '/..%2fpackage.json'),
    one('a method that no file has', '/data.bin', [], 'DELETE'),
    {
      title: 'a pipelined file after a file',
      requests: [
        { path: '/data.bin' },
        { path: '/page.htm' },
        { path: '/data.bin', method: 'HEAD' },
        { path: '/none' },
        { path: '/small%20one.txt' },
      ],
    },
  ];
}

export function requestText({ method = 'GET', path, headers = [] }: Request, isLast = true): string {
  const all = ['Host: localhost', ...headers, ...(isLast ? ['Connection: close'] : [])];
  return [`${method} ${path} HTTP/1.1`, ...all, '', ''].join('\r\n');
}

/** All that came back. */
export async function ask(port: number, { requests }: Question): Promise<readonly WireResponse[]> {
  const texts = requests.map((request, index) => requestText(request, index === requests.length - 1));
  const bytes = await roundTrip(port, texts.join(''));
  return parseResponses(
    bytes,
    requests.map(({ method = 'GET' }) => method),
  );
}

export function headerOf(response: WireResponse | undefined, name: string): string | undefined {
  const line = response?.head.find((text) => text.toLowerCase().startsWith(`${name}: `));
  return line?.slice(name.length + 2);
}

export function statusOf(response: WireResponse | undefined): number {
  return Number(response?.head[0]?.split(' ')[1]);
}
