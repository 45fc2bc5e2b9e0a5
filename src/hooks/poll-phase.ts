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

/** Of a process that listens: its descriptor is open before an app counts its descriptors around a request. */
export const openPollPhaseHook: Hook = {
  name: 'open-poll-phase',
  install() {
    current?.open();
    return undefined;
  },
};
