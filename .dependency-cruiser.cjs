// Who may import whom: the table in docs/architecture.md. An import of types alone counts, as it is knowledge too.

/** Anyone may import them. */
const FOR_ALL = [
  'src/clock.ts',
  'src/diagnostics.ts',
  'src/errors.ts',
  'src/hidden-slot.ts',
  'src/node-internals.ts',
  'src/own-properties.ts',
  'src/server-word.ts',
];

/** Importer → what it may import besides those and its neighbours. A name with a slash at its end is a folder, however deep. */
const IMPORTS = {
  'register.ts': ['src/preload.ts'],
  'src/preload.ts': [
    'src/runtime.ts',
    'src/first-use.ts',
    'src/app-manifest.ts',
    'src/config/',
    'src/hooks/patch.ts',
    'src/hooks/compression-file.ts',
  ],
  'src/first-use.ts': ['src/hooks/patch.ts'],
  'src/index.ts': [
    'src/runtime.ts',
    'src/install.ts',
    'src/api/',
    'src/config/',
    'src/native/',
    'src/options/',
    'src/report/',
  ],
  'src/runtime.ts': ['src/install.ts', 'src/api/', 'src/config/', 'src/hooks/compression.ts', 'src/report/'],
  'src/install.ts': [
    'src/first-use.ts',
    'src/app-manifest.ts',
    'src/api/',
    'src/config/',
    'src/hooks/',
    'src/inspect/',
    'src/native/',
    'src/options/',
    'src/report/',
  ],
  'src/api/': ['src/config/', 'src/file-region/', 'src/hooks/', 'src/native/', 'src/options/'],
  'src/hooks/': ['src/file-region/', 'src/native/', 'src/options/', 'src/report/'],
  'src/file-region/': ['src/native/'],
  'src/report/': ['src/native/', 'src/options/'],
  'src/inspect/': ['src/options/', 'src/report/'],
  'src/cli/': ['src/config/', 'src/native/', 'src/options/', 'src/report/'],
  'src/options/': ['src/native/'],
  'src/config/': ['src/options/'],
  'src/native/': [],
};

/** These are for all, or nearly, so they know nothing of ours. */
const IMPORTS_OF_LEAVES = {
  ...Object.fromEntries([...FOR_ALL, 'src/app-manifest.ts'].map((file) => [file, []])),
  'src/node-internals.ts': ['src/hidden-slot.ts'],
};

function pattern(path) {
  return `^${path.replaceAll('.', '\\.')}${path.endsWith('/') ? '' : '$'}`;
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
    ...Object.entries(IMPORTS_OF_LEAVES).map(([importer, imported]) => rule(importer, imported)),
    {
      name: 'importer without a rule',
      comment: 'A new folder or file of src/ has its line here and in docs/architecture.md.',
      severity: 'error',
      from: { pathNot: [...Object.keys(IMPORTS), ...Object.keys(IMPORTS_OF_LEAVES)].map(pattern) },
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
