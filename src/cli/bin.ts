#!/usr/bin/env node
/** What `npx socket-tune` runs. */
import { main } from './main.js';

await main();
