// Who may import whom: the table in docs/architecture.md. An import of types alone counts, as it is knowledge too.

/** Anyone may import them. They know nothing above them. */
const FOR_ALL = ['src/diagnostics.ts', 'src/errors.ts', 'src/node/'];

/** What any room of the hooks may import. */
const FOR_HOOKS = ['src/hooks/*', 'src/native/', 'src/options/', 'src/report/'];

/**
 * Importer → what it may import besides those and its neighbours. A slash at the end means a folder, however deep; a star means the files that
 * lie in a folder themselves, but its index.
 */
const IMPORTS = {
  'register.ts': ['src/preload.ts'],
  'src/preload.ts': [
    'src/runtime.ts',
    'src/activate.ts',
    'src/first-use.ts',
    'src/config/',
    'src/hooks/files/compression-file.ts',
  ],
  'src/activate.ts': [
    'src/first-use.ts',
    'src/app-manifest.ts',
    'src/config/',
    'src/hooks/files/compression-file.ts',
    'src/hooks/requests/idle-time.ts',
    'src/hooks/requests/fastify.ts',
    'src/options/',
  ],
  'src/first-use.ts': ['src/hooks/sockets/server-choice.ts'],
  'src/index.ts': [
    'src/runtime.ts',
    'src/install.ts',
    'src/api/',
    'src/config/',
    'src/native/',
    'src/options/',
    'src/report/',
  ],
  'src/runtime.ts': ['src/install.ts', 'src/api/', 'src/config/', 'src/hooks/files/compression.ts', 'src/report/'],
  'src/install.ts': [
    'src/activate.ts',
    'src/first-use.ts',
    'src/api/',
    'src/config/',
    'src/hooks/',
    'src/inspect/',
    'src/native/',
    'src/options/',
    'src/report/',
  ],
  'src/api/': ['src/config/', 'src/hooks/', 'src/native/', 'src/options/'],
  'src/hooks/index.ts': ['src/hooks/'],
  'src/hooks/*': ['src/native/', 'src/options/'],
  'src/hooks/sockets/': [...FOR_HOOKS, 'src/hooks/shared-port/', 'src/hooks/peers/'],
  'src/hooks/shared-port/': FOR_HOOKS,
  'src/hooks/peers/': FOR_HOOKS,
  'src/hooks/files/': FOR_HOOKS,
  'src/hooks/datagrams/': FOR_HOOKS,
  'src/hooks/requests/': [...FOR_HOOKS, 'src/hooks/peers/', 'src/hooks/shared-port/'],
  'src/hooks/fs/': [...FOR_HOOKS, 'src/hooks/files/'],
  'src/hooks/splice/': [...FOR_HOOKS, 'src/hooks/files/'],
  'src/report/': ['src/app-manifest.ts', 'src/native/', 'src/options/'],
  'src/inspect/': ['src/options/', 'src/report/'],
  'src/cli/': ['src/config/', 'src/native/', 'src/options/', 'src/report/'],
  'src/options/': ['src/native/'],
  'src/config/': ['src/options/'],
  'src/native/': [],
};

/** They know nothing of ours. */
const LEAVES = [...FOR_ALL, 'src/app-manifest.ts'];

function pattern(path) {
  const escaped = path.replaceAll('.', '\\.');
  if (path.endsWith('/*')) return `^${escaped.slice(0, -1)}(?!index\\.)[^/]+$`;
  return `^${escaped}${path.endsWith('/') ? '' : '$'}`;
}

function rule(importer, imported) {
  return {
    name: `imports of ${importer}`,
    comment: 'See "Who may import whom" in docs/architecture.md.',
    severity: 'error',
    from: { path: pattern(importer) },
    to: { dependencyTypes: ['local'], pathNot: [importer, ...imported].map(pattern) },
  };
}

module.exports = {
  forbidden: [
    ...Object.entries(IMPORTS).map(([importer, imported]) => rule(importer, [...imported, ...FOR_ALL])),
    ...LEAVES.map((importer) => rule(importer, [])),
    {
      name: 'importer without a rule',
      comment: 'A new folder or file of src/ has its line here and in docs/architecture.md.',
      severity: 'error',
      from: { pathNot: [...Object.keys(IMPORTS), ...LEAVES].map(pattern) },
      to: { dependencyTypes: ['local'] },
    },
    {
      name: 'circle',
      comment: 'Give what both sides need a file of its own.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // TypeScript 7 has no API, by which its own parser would be used.
    parser: 'swc',
  },
};
