// Express with its static middleware.

import { fileURLToPath } from 'node:url';
import express from 'express';

const port = Number(process.env.PORT ?? 8080);
const root = process.env.ROOT ?? fileURLToPath(new URL('public', import.meta.url));

const app = express();

app.get('/hello', (_request, response) => {
  response.type('text').send('Hello\n');
});
app.use(express.static(root));

const server = app.listen(port, '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

process.on('SIGTERM', () => server.close());
