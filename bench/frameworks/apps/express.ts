// Express: files, and a route behind them, whose every request asks for a file in vain.

import express from 'express';
import { ANSWER } from '../answer.js';
import { directory, serve } from './serve.js';

const app = express();

app.use(express.static(directory));
app.get('/answer', (_request, response) => {
  response.json(ANSWER);
});

serve(app);
