// Nest: files by its module for them. Decorators are called, as this project has no syntax that types alone do not erase.

import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ServeStaticModule } from '@nestjs/serve-static';
import { ADDRESS, announce, directory } from './serve.js';

class App {}
Module({ imports: [ServeStaticModule.forRoot({ rootPath: directory })] })(App);

const app = await NestFactory.create(App, { logger: false });
await app.init();
const server = app.getHttpServer();
server.listen(ADDRESS, () => announce(server));
