/** Contenders: their names in code and tables, and descriptions. */
const MEANINGS: Readonly<Record<string, string>> = {
  stock: 'the app as it is (“stock” in the tables)',
  tuned: 'the same app, unchanged, with socket-tune loaded ahead of it (“tuned”)',
  default: 'the same app under socket-tune, by its default preset',
  lowlatency: 'the same app under socket-tune, by its lowlatency preset',
  highthroughput: 'the same app under socket-tune, by its highthroughput preset',
  'stock 1 MiB': 'with a highWaterMark of 1 MiB: tuned by hand',
  'in memory': 'with all files in memory already, by response.end(buffer)',
  nginx: 'one worker of nginx, with sendfile on',
  Bun: 'files as static routes of Bun.serve',
  'C loop': 'a bare loop of epoll and sendfile in C: as little as it can cost',
};

const NAMES: Readonly<Record<string, string>> = {
  stock: 'Node.js',
  'stock 1 MiB': 'Node.js 1 MiB',
  'in memory': 'Node.js memory',
  tuned: 'socket-tune',
};

/** Name in charts. */
export function nameOf(contender: string): string {
  return NAMES[contender] ?? contender;
}

/** Descriptions of the contenders of a run that need one. */
export function glossary(contenders: ReadonlySet<string>): [name: string, meaning: string][] {
  return Object.entries(MEANINGS).flatMap(([contender, meaning]) =>
    contenders.has(contender) ? [[nameOf(contender), meaning] as [string, string]] : [],
  );
}
