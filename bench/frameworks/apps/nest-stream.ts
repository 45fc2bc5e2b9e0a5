// Nest: files by a controller of the app. Decorators are called, as in nest-static.ts.

import 'reflect-metadata';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Controller, Get, Module, NotFoundException, Param, StreamableFile } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ADDRESS, announce, directory } from './serve.js';

class Files {
  async file(name: string): Promise<StreamableFile> {
    const path = join(directory, name);
    const { size } = await stat(path).catch((cause) => {
      throw new NotFoundException({ cause });
    });
    return new StreamableFile(createReadStream(path), { length: size });
  }
}
const method = { value: Files.prototype.file };
Get(':name')(Files.prototype, 'file', method);
Param('name')(Files.prototype, 'file', 0);
Controller()(Files);

class App {}
Module({ controllers: [Files] })(App);

const app = await NestFactory.create(App, { logger: false });
await app.init();
const server = app.getHttpServer();
server.listen(ADDRESS, () => announce(server));
