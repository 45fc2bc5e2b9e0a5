/** The preload: `node --import socket-tune/register app.js`. */
import { preload } from './src/preload.js';

preload();
