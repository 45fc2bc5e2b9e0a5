// An ordinary app, without socket-tune: reads the whole request and answers with a few bytes.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { takeUpload } from '../upload.js';

const server = createServer(takeUpload);

server.listen(0, '127.0.0.1', () => {
  console.log((server.address() as AddressInfo).port);
});

process.on('SIGTERM', () => process.exit());
