import { usePollPhase } from '../node/patch/poll-phase.js';
import type { Hook } from './context.js';

/** What is answered without the thread pool comes in the phase of the event loop in which the pool's answers come. */
export const pollPhaseHook: Hook = {
  name: 'poll-phase',
  install(context) {
    if (context.sendfile === undefined && !context.answersFs) return undefined;
    return usePollPhase(() => context.platform().files);
  },
};
