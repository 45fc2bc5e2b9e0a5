import { type PollPhaseUse, usePollPhase } from '../node/patch/poll-phase.js';
import type { Hook } from './context.js';

let current: PollPhaseUse | undefined;

/** What is answered without the thread pool comes in the phase of the event loop in which the pool's answers come. */
export const pollPhaseHook: Hook = {
  name: 'poll-phase',
  install(context) {
    if (context.sendfile === undefined && !context.answersFs) return undefined;
    current = usePollPhase(() => context.platform().files);
    return () => {
      current?.undo();
      current = undefined;
    };
  },
};

/** Have it ready in a process that listens: its descriptor is open before an app counts its descriptors around a request. */
export function openPollPhase(): void {
  current?.open();
}
