import Koa from 'koa';
import send from 'koa-send';
import { directory, serve } from './serve.js';

const app = new Koa();

app.use((context) => send(context, context.path, { root: directory }));

serve(app.callback());
