import Koa from 'koa';
import compress from 'koa-compress';
import send from 'koa-send';

const app = new Koa();

app.use(compress());
app.use((context) => send(context, context.path, { root: process.env.ROOT }));

const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));

process.once('SIGTERM', () => server.close());
