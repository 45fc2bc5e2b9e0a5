/** What an app knows of conditional and partial requests. */
type Skill = 'range' | 'last bytes' | 'etag' | 'last-modified';

/** A framework, as one small app uses it, and how its files travel under the preload. */
export interface Framework {
  /** What sends the file. */
  readonly title: string;
  /** The file of the app in apps/, without its extension if that is .js. */
  readonly app: string;
  /** Whose versions matter. */
  readonly packages: readonly string[];
  readonly knows: readonly Skill[];
  /** Which answers go by sendfile: `whole` files but no ranges, or the `rest` after the first chunk of each. */
  readonly rerouted: 'all' | 'whole' | 'rest' | 'none';
  /** Why file streams took Node's own path, as the report says it, besides what no framework decides. */
  readonly reasons: readonly string[];
  readonly why: string;
}

const PLAIN = 'createReadStream().pipe(response)';

export const FRAMEWORKS: readonly Framework[] = [
  {
    title: 'res.sendFile',
    app: 'express/send-file',
    packages: ['express'],
    knows: ['range', 'last bytes', 'etag', 'last-modified'],
    rerouted: 'all',
    reasons: [],
    why: `\`${PLAIN}\`, by send`,
  },
  {
    title: 'express.static',
    app: 'express/static',
    packages: ['express'],
    knows: ['range', 'last bytes', 'etag', 'last-modified'],
    rerouted: 'all',
    reasons: [],
    why: `\`${PLAIN}\`, by send`,
  },
  {
    title: 'express.static behind compression(), by require()',
    app: 'express/compression-required.cjs',
    packages: ['express', 'compression'],
    knows: ['range', 'last bytes', 'etag', 'last-modified'],
    rerouted: 'rest',
    reasons: ['compressed'],
    why: 'whether compression compresses is known once the headers are made, with the first chunk; what it compresses is left alone',
  },
  {
    title: 'express.static behind compression(), by import',
    app: 'express/compression',
    packages: ['express', 'compression'],
    knows: ['range', 'last bytes', 'etag', 'last-modified'],
    rerouted: 'rest',
    reasons: ['compressed'],
    why: 'as by require()',
  },
  {
    title: 'send(request, path).pipe(response)',
    app: 'send',
    packages: ['send'],
    knows: ['range', 'last bytes', 'etag', 'last-modified'],
    rerouted: 'all',
    reasons: [],
    why: `\`${PLAIN}\``,
  },
  {
    title: 'serveStatic(root)',
    app: 'serve-static',
    packages: ['serve-static'],
    knows: ['range', 'last bytes', 'etag', 'last-modified'],
    rerouted: 'all',
    reasons: [],
    why: `\`${PLAIN}\`, by send`,
  },
  {
    title: 'context.body = stream',
    app: 'koa/stream',
    packages: ['koa'],
    knows: [],
    rerouted: 'all',
    reasons: [],
    why: 'Koa pipes the stream into the response; chunked, as it does not know the length',
  },
  {
    title: 'send(context, path)',
    app: 'koa/send',
    packages: ['koa', 'koa-send'],
    knows: [],
    rerouted: 'all',
    reasons: [],
    why: 'sets `context.body` to a stream, which Koa pipes into the response',
  },
  {
    title: 'send(context, path) behind koa-compress',
    app: 'koa/compress',
    packages: ['koa', 'koa-send', 'koa-compress'],
    knows: [],
    rerouted: 'all',
    reasons: ['not-a-socket'],
    why: 'the stream itself stays `context.body`; only what is compressed is piped into zlib',
  },
  {
    title: 'reply.send(stream)',
    app: 'fastify/stream',
    packages: ['fastify'],
    knows: [],
    rerouted: 'all',
    reasons: [],
    why: 'Fastify pipes the stream into the response',
  },
  {
    title: '@fastify/static',
    app: 'fastify/static',
    packages: ['fastify', '@fastify/static'],
    knows: ['range', 'last bytes', 'etag', 'last-modified'],
    rerouted: 'all',
    reasons: [],
    why: 'hands a stream of the file to `reply.send()`',
  },
  {
    title: '@fastify/static behind @fastify/compress',
    app: 'fastify/compress',
    packages: ['fastify', '@fastify/static', '@fastify/compress'],
    knows: ['range', 'last bytes', 'etag', 'last-modified'],
    rerouted: 'all',
    reasons: ['not-a-socket'],
    why: 'the stream itself stays the payload; only what is compressed is piped into zlib',
  },
  {
    title: 'StreamableFile',
    app: 'nest-streamable-file',
    packages: ['@nestjs/core', '@nestjs/platform-express'],
    knows: [],
    rerouted: 'all',
    reasons: [],
    why: 'Nest pipes the stream into the response of Express',
  },
  {
    title: 'h.response(stream)',
    app: 'hapi-stream',
    packages: ['@hapi/hapi'],
    knows: ['range', 'last bytes'],
    rerouted: 'whole',
    reasons: ['not-a-socket'],
    why: 'a whole file is piped into the response; a range is cut out, and text compressed, by a Transform in between',
  },
  {
    title: 'inert',
    app: 'hapi-inert',
    packages: ['@hapi/hapi', '@hapi/inert'],
    knows: ['range', 'last bytes', 'etag', 'last-modified'],
    rerouted: 'all',
    reasons: ['not-a-socket'],
    why: 'its streams start and end where the range does; only what it hashes once for an ETag, or compresses, is read by Node',
  },
  {
    title: 'serveStatic({ root })',
    app: 'hono-static',
    packages: ['hono', '@hono/node-server'],
    knows: ['range', 'last bytes'],
    rerouted: 'none',
    reasons: [],
    why: 'the file becomes a web stream, as a Response has no other body; its reader writes bytes to the response',
  },
  {
    title: 'sirv(root)',
    app: 'sirv',
    packages: ['sirv'],
    knows: ['range', 'last bytes', 'etag'],
    rerouted: 'all',
    reasons: [],
    why: `\`${PLAIN}\``,
  },
  {
    title: 'sirv(root, { dev: true })',
    app: 'sirv-dev',
    packages: ['sirv'],
    knows: ['range', 'last bytes', 'etag'],
    rerouted: 'all',
    reasons: [],
    why: `\`${PLAIN}\``,
  },
  {
    title: 'handler(request, response)',
    app: 'serve-handler',
    packages: ['serve-handler'],
    knows: ['range', 'last bytes', 'etag'],
    rerouted: 'all',
    reasons: [],
    why: `\`${PLAIN}\``,
  },
  {
    title: 'createServer({ root })',
    app: 'http-server',
    packages: ['http-server'],
    knows: ['range', 'etag', 'last-modified'],
    rerouted: 'none',
    reasons: ['not-a-socket'],
    why: 'what it pipes into is a stream of union, its framework, which hands every chunk on to the response',
  },
  {
    title: 'vite preview',
    app: 'vite-preview',
    packages: ['vite'],
    knows: ['range', 'last bytes', 'etag'],
    rerouted: 'all',
    reasons: ['patched-response'],
    why: 'serves by sirv; what it compresses goes through a `write` of its own',
  },
];
