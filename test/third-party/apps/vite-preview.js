import { preview } from 'vite';

const server = await preview({
  configFile: false,
  logLevel: 'error',
  build: { outDir: process.env.ROOT },
  preview: { port: 0, host: '127.0.0.1' },
});

console.log(server.httpServer.address().port);

process.once('SIGTERM', () => server.close());
