import { stat } from 'node:fs/promises';

const TURNS = 20;

/**
 * Let the event loop turn, with its timers and its thread pool. What would happen by itself has happened by then, and a test can
 * say that nothing has.
 */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    await stat('/');
    await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise(setImmediate);
  }
}
