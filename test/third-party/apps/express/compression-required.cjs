const compression = require('compression');
const express = require('express');

const app = express();

app.use(compression());
app.use(express.static(process.env.ROOT));

const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));

process.once('SIGTERM', () => server.close());
