import 'reflect-metadata';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Controller, Get, Module, NotFoundException, Param, StreamableFile } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

class Files {
  async send(name) {
    const file = join(process.env.ROOT, name);
    const stats = await stat(file).catch(() => undefined);
    if (stats === undefined) throw new NotFoundException();
    return new StreamableFile(createReadStream(file), { length: stats.size });
  }
}

// What a compiler makes of decorators.
const { prototype } = Files;
Get(':name')(prototype, 'send', Object.getOwnPropertyDescriptor(prototype, 'send'));
Param('name')(prototype, 'send', 0);
Controller()(Files);

class App {}

Module({ controllers: [Files] })(App);

const app = await NestFactory.create(App, { logger: false });

await app.listen(0, '127.0.0.1');
console.log(app.getHttpServer().address().port);

process.once('SIGTERM', () => app.close());
