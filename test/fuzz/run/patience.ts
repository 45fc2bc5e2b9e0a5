/**
 * Waits for something as long as there is progress. Seconds in which this process itself had no turn are not counted.
 *
 * @param seconds without progress until it is given up
 * @param look what there is to be seen; it is another when there has been progress
 * @param giveUp is told what was seen last
 */
export async function patiently<T>(
  work: Promise<T>,
  seconds: number,
  look: () => string,
  giveUp: (problem: string) => T | Promise<T>,
): Promise<T> {
  let seen = look();
  let silent = 0;
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<string>((resolve) => {
    timer = setInterval(() => {
      const now = look();
      silent = now === seen ? silent + 1 : 0;
      seen = now;
      if (silent >= seconds) resolve(`nothing has happened for ${seconds} s: ${now}`);
    }, 1000);
  });
  try {
    return await Promise.race([work, silence.then(giveUp)]);
  } finally {
    clearInterval(timer);
  }
}
