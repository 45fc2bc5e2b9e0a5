import { monotonic, setTimeout } from '../../node/clock.js';
import { type ClusterWorker, isWorker, ownWorkers, sendToPrimary, sendToWorker } from '../../node/cluster.js';
import { aroundMessages } from '../../node/patch/cluster.js';
import type { Undo } from '../../node/patch/replace.js';

/** The primary tells its workers to take leave of their clients. `data`: milliseconds for which to go on accepting; 0 is for the end of it. */
const LEAVE = 'socket-tune:leave';

/** A worker answers that it does, and that it has. */
const LEAVING = 'socket-tune:leaving';
const LEFT = 'socket-tune:left';

/** A worker that has not answered by then is without us, and ends with its primary as in stock Node. */
const ANSWER_MS = 2000;

const PAUSE_MS = 20;

/**
 * Have all workers take leave of their clients, and call `then` when they have. They stay until this process ends, which ends them as
 * in stock Node. So the app, which may replace a worker that ends, sees none end.
 *
 * @param delay milliseconds for which they go on accepting, at most
 * @param longest milliseconds after which nobody is waited for
 * @returns a function that has them go on accepting no longer
 */
export function leaveWithWorkers(delay: number, longest: number, then: () => void): () => void {
  let time = delay;
  const began = monotonic();
  const answers = new Map<ClusterWorker, typeof LEAVING | typeof LEFT | undefined>();
  const tell = (worker: ClusterWorker): void => {
    answers.set(worker, undefined);
    aroundMessages(worker.process, ({ act }, next) => {
      if (act === LEAVING || act === LEFT) answers.set(worker, act);
      else next();
    });
    sendToWorker(worker, LEAVE, time);
  };
  const isAwaited = (worker: ClusterWorker, age: number): boolean => {
    const answer = answers.get(worker);
    if (!worker.isConnected() || answer === LEFT || age >= longest) return false;
    return answer === LEAVING || age < ANSWER_MS;
  };
  const look = (): void => {
    const workers = ownWorkers();
    for (const worker of workers) if (!answers.has(worker)) tell(worker);
    const age = monotonic() - began;
    if (workers.some((worker) => isAwaited(worker, age))) setTimeout(look, PAUSE_MS);
    else then();
  };
  look();
  return () => {
    time = 0;
    for (const worker of answers.keys()) sendToWorker(worker, LEAVE, time);
  };
}

/** Call `onOrder` when the primary tells this worker to take leave, and when it repeats that. It gets the milliseconds for which to go on accepting. */
export function awaitOrder(onOrder: (delay: number) => void): Undo | undefined {
  if (!isWorker()) return undefined;
  return aroundMessages(process, ({ act, data }, next) => {
    if (act !== LEAVE || typeof data !== 'number') return next();
    tellPrimary(LEAVING);
    onOrder(data);
  });
}

/** Tell the primary that this worker has no more clients. */
export function reportLeft(): void {
  tellPrimary(LEFT);
}

function tellPrimary(act: string): void {
  sendToPrimary(act, '', 0);
}
