import express from 'express';

const app = express();

app.get('/:name', (request, response, next) => {
  response.sendFile(request.params.name, { root: process.env.ROOT }, (error) => {
    if (error && !response.headersSent) next(error.status === 404 ? undefined : error);
  });
});

const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));

process.once('SIGTERM', () => server.close());
