import { ERRNO } from './errno.js';
import type { Platform } from './platform.js';

/** What only Linux has, or tells, as every other platform answers to it. */
export const LINUX_ONLY: Omit<Platform, 'name' | 'unavailable' | 'constants' | 'set' | 'get'> = {
  autotuningCeiling: () => undefined,
  inertCause: () => undefined,
  limitOf: () => undefined,
  openSocket: () => -ERRNO.EOPNOTSUPP,
  close: () => ERRNO.EOPNOTSUPP,
  tcpInfo: () => undefined,
  ports: undefined,
  files: undefined,
  signals: undefined,
};
