import type { SocketOption } from '../socket-option.js';

/** Options that only macOS has: setsockopt(2) there. */
export const DARWIN_ROWS = [
  {
    key: 'noSigPipe',
    variable: 'NOSIGPIPE',
    constant: 'SO_NOSIGPIPE',
    kind: 'flag',
    targets: ['accepted', 'outgoing'],
    phase: 'any-time',
    families: ['tcp', 'unix'],
    readBack: 'same',
    system: 'darwin',
    presets: { default: true, lowlatency: true, highthroughput: true },
    sample: true,
    doc: 'macOS: a write to a closed connection is an error and never a SIGPIPE.',
  },
] as const satisfies readonly SocketOption[];
