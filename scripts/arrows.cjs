/**
 * Which folder of packages/holdfast/src may import which: arrows point down only. Read by dependency-cruiser; `check.mjs` also
 * makes sure that it saw every file, since it can be green about nothing.
 */
const SOURCE = '^packages/holdfast/src'

/** Every folder with the folders below it that it may use. */
const layers = {
  base: [],
  schema: ['base'],
  statement: ['base', 'schema'],
  backend: ['base', 'schema', 'statement'],
  'backends/sql': ['base', 'schema', 'statement', 'backend'],
  'backends/memory': ['base', 'schema', 'statement', 'backend'],
  'backends/sqlite': ['base', 'schema', 'statement', 'backend', 'backends/sql'],
  'backends/postgres': ['base', 'schema', 'statement', 'backend', 'backends/sql'],
  repository: ['base', 'schema', 'statement', 'backend'],
  queue: ['base', 'schema', 'statement', 'backend', 'repository'],
  storage: ['base', 'schema', 'statement', 'backend', 'repository', 'queue'],
}

const arrows = Object.entries(layers).map(([folder, below]) => ({
  name: `${folder} imports only what is below it`,
  severity: 'error',
  from: { path: `${SOURCE}/${folder}/`, pathNot: '\\.test(-d)?\\.ts$' },
  to: {
    path: `${SOURCE}/`,
    pathNot: [folder, ...below].map((name) => `${SOURCE}/${name}/`),
    // The storage opens the backend that a target names, when it is named.
    dependencyTypesNot: folder === 'storage' ? ['dynamic-import'] : [],
  },
}))

module.exports = {
  forbidden: [
    ...arrows,
    { name: 'no circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'kysely stays with the backends and storage.sql',
      severity: 'error',
      from: {
        path: `${SOURCE}/`,
        pathNot: [`${SOURCE}/backends/`, `${SOURCE}/storage/(sql|stores|session-stores)\\.ts$`],
      },
      to: { path: 'node_modules/kysely/' },
    },
    {
      name: 'the public door opens no backend',
      severity: 'error',
      from: { path: `${SOURCE}/index\\.ts$` },
      to: { path: `${SOURCE}/backends/` },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.test(-d)?\\.ts$' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
}
