/** The preload: `node --import socket-tune/register app.js`. */
import { installFromEnvironment } from './src/index.js';

installFromEnvironment();
