import { getRequestListener } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { directory, serve } from './serve.js';

const app = new Hono();

app.use('/*', serveStatic({ root: directory }));

serve(getRequestListener(app.fetch));
