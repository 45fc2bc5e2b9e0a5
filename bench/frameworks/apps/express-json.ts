// Express: a route alone.

import express from 'express';
import { ANSWER } from '../answer.js';
import { serve } from './serve.js';

const app = express();

app.get('/answer', (_request, response) => {
  response.json(ANSWER);
});

serve(app);
