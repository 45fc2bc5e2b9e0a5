/** Asks a server so many times, one after the other, and prints who answered how often: node client.js PORT COUNT. */
import { ask } from './load.js';

const [port = '', count = ''] = process.argv.slice(2);
const answers: Record<string, number> = {};
for (let round = 0; round < Number(count); round++) {
  const answer = await ask(Number(port));
  if (typeof answer !== 'string') throw answer;
  answers[answer] = (answers[answer] ?? 0) + 1;
}
console.log(JSON.stringify(answers));
