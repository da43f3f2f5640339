import { auditModels } from '../audit/index.ts'
import { cacheEntries } from '../cache/index.ts'
import { historyHeads } from '../history/index.ts'
import { migrationModels } from '../migrations/index.ts'
import { queueModels } from '../queue/index.ts'
import type { Declarations, Model, Schema } from '../schema/index.ts'

/** A feature that keeps rows in tables of its own. */
export interface Feature {
  readonly models: readonly Model[]
  /** Whether a schema speaks of it: then its tables are made with the others when the storage is opened, else at first use. */
  declaredIn(schema: Schema): boolean
}

/** Every feature with tables of its own. */
export const features: readonly Feature[] = [
  { models: queueModels, declaredIn: declares('queue') },
  { models: auditModels, declaredIn: () => false },
  { models: [cacheEntries], declaredIn: () => false },
  { models: migrationModels, declaredIn: () => false },
  {
    models: [historyHeads],
    declaredIn: ({ models }) => [...models.values()].some(({ history }) => history !== undefined),
  },
]

function declares(kind: Declarations[string]['kind']): (schema: Schema) => boolean {
  return ({ declarations }) => Object.values(declarations).some((declaration) => declaration.kind === kind)
}
