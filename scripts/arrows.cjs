/**
 * Which folder of packages/holdfast/src may import which: arrows point down only. Read by dependency-cruiser; `check.mjs` also
 * makes sure that it saw every file, since it can be green about nothing.
 */
const { Visitor } = require('@swc/core/Visitor.js')
const { layers } = require('./layers.cjs')

const SOURCE = '^packages/holdfast/src'

// dependency-cruiser reads with a visitor of swc that throws on `using`: it is visited like any other variable.
const { visitStatement } = Visitor.prototype
Visitor.prototype.visitStatement = function (statement) {
  if (statement.type !== 'UsingDeclaration') return visitStatement.call(this, statement)
  return { ...statement, decls: this.visitVariableDeclarators(statement.decls) }
}

const arrows = Object.entries(layers).map(([folder, below]) => ({
  name: `${folder} imports only what is below it`,
  severity: 'error',
  from: { path: `${SOURCE}/${folder}/`, pathNot: '\\.test(-d)?\\.ts$' },
  to: {
    path: `${SOURCE}/`,
    pathNot: [
      ...[folder, ...below].map((name) => `${SOURCE}/${name}/`),
      ...(folder === 'testing' ? [`${SOURCE}/index\\.ts$`] : []),
    ],
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
        pathNot: [`${SOURCE}/backends/`, `${SOURCE}/storage/(kysely|sql|stores|session-stores)\\.ts$`],
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
