// Koa, sending files with koa-send.

import { fileURLToPath } from 'node:url';
import Koa from 'koa';
import send from 'koa-send';

const port = Number(process.env.PORT ?? 8080);
const root = process.env.ROOT ?? fileURLToPath(new URL('public', import.meta.url));

const app = new Koa();

app.use(async (context) => {
  if (context.path === '/hello') context.body = 'Hello\n';
  else await send(context, context.path, { root, index: 'index.html' });
});

const server = app.listen(port, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

process.on('SIGTERM', () => server.close());
