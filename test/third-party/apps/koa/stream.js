import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import Koa from 'koa';

const app = new Koa();

app.use(async (context) => {
  const file = join(process.env.ROOT, decodeURIComponent(context.path));
  const stats = await stat(file).catch(() => undefined);
  if (stats === undefined) return;
  context.type = extname(file);
  context.body = createReadStream(file);
});

const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));

process.once('SIGTERM', () => server.close());
