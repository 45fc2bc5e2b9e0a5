import { ERRNO } from './errno.js';
import type { Platform } from './platform.js';

/** Answers of every other platform to the calls that only Linux has. */
export const LINUX_ONLY: Omit<Platform, 'name' | 'unavailable' | 'constants' | 'set' | 'get'> = {
  autotuningCeiling: () => undefined,
  inertCause: () => undefined,
  limitOf: () => undefined,
  choicesOf: () => undefined,
  openSocket: () => -ERRNO.EOPNOTSUPP,
  close: () => ERRNO.EOPNOTSUPP,
  tcpInfo: () => undefined,
  acceptQueue: () => undefined,
  listenCounters: () => undefined,
  peerState: () => false,
  hasPeerClosed: () => false,
  ports: undefined,
  files: undefined,
  segments: () => undefined,
  splicing: () => undefined,
  signals: undefined,
};
