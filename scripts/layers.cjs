/** Every folder of packages/holdfast/src with the folders below it that it may use; `npm run check` fails on a folder that is missing here. */
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
  graph: ['base', 'schema', 'statement', 'backend', 'repository'],
  history: ['base', 'schema', 'statement', 'backend', 'repository'],
  changes: ['base', 'schema', 'statement', 'backend', 'repository', 'history'],
  audit: ['base', 'schema', 'statement', 'backend', 'repository'],
  cache: ['base', 'schema', 'statement', 'backend', 'repository'],
  migrations: ['base', 'schema', 'statement', 'backend', 'repository'],
  storage: [
    'base',
    'schema',
    'statement',
    'backend',
    'repository',
    'queue',
    'graph',
    'audit',
    'cache',
    'migrations',
    'history',
    'changes',
  ],
}

/** The rooms of the queue, each with those below it; its own files see them all. */
const rooms = {
  job: [],
  limits: ['job'],
  flow: ['job'],
  enqueue: ['job', 'limits', 'flow'],
  finish: ['job', 'limits', 'flow', 'enqueue'],
  claim: ['job', 'limits', 'finish'],
  admin: ['job', 'limits', 'flow', 'finish'],
  schedule: ['job', 'enqueue'],
  work: ['job', 'finish', 'claim', 'admin', 'schedule'],
}
for (const [room, below] of Object.entries(rooms))
  layers[`queue/${room}`] = [
    'base',
    'schema',
    'statement',
    'backend',
    'repository',
    ...below.map((name) => `queue/${name}`),
  ]

// Listens to what the queue tells.
layers.opentelemetry = ['queue']

layers.cli = Object.keys(layers)

// What is published for tests may use everything.
layers.testing = Object.keys(layers)

module.exports = { layers }
