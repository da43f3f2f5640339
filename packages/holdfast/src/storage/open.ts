import { auditModels, Redaction, Sealer } from '../audit/index.ts'
import type { Backend, BackendFactory } from '../backend/index.ts'
import { systemClock } from '../base/clock.ts'
import { Caches, cacheEntries, ReadCache } from '../cache/index.ts'
import { declaredGraphs } from '../graph/index.ts'
import { BackgroundSettling, Concerns, declaredHistories, Recorder } from '../history/index.ts'
import { fitTables, Migrations } from '../migrations/index.ts'
import { defineSchema, type Model, type Schema } from '../schema/index.ts'
import { assertChecks } from '../statement/index.ts'
import { type Environment, targetFromEnv } from './env.ts'
import { features } from './features.ts'
import { idsInReach } from './graphs.ts'
import { RootSession } from './root-session.ts'
import { type NoSchema, Storage } from './storage.ts'
import { assertStorageOptions, type StorageOptions } from './storage-options.ts'
import { backendOf } from './targets.ts'
import { EnsuringSession } from './undeclared.ts'

/**
 * Opens a storage.
 *
 * @param target `memory:`, `sqlite:./app.db`, `sqlite::memory:`, `postgres://user:password@host/database`, or a backend such as
 *   `sqlite({ path })` from `holdfast/sqlite`.
 * @throws ConfigurationError for a target that names no backend, or a driver that is not installed; ConnectionError when the
 *   database cannot be reached; MigrationError when its tables do not fit the schema.
 *
 * @example
 * ```ts
 * const storage = await openStorage('sqlite:./app.db', { schema })
 * ```
 */
export function openStorage<const S extends Schema = NoSchema>(
  target: string | BackendFactory,
  options: StorageOptions<S> = {},
): Promise<Storage<S>> {
  return openAny(target, options, true)
}

/** Opens a storage whatever state its tables are in: for tools that look at them, or migrate them. */
export function openUnfitted<const S extends Schema>(
  target: string | BackendFactory,
  options: StorageOptions<S>,
): Promise<Storage<S>> {
  return openAny(target, options, false)
}

async function openAny<const S extends Schema>(
  target: string | BackendFactory,
  options: StorageOptions<S>,
  fits: boolean,
): Promise<Storage<S>> {
  assertStorageOptions(options)
  const schema = options.schema ?? (defineSchema({}) as unknown as S)
  const redaction = new Redaction(options.audit?.redact ?? [])
  const autoCreate = options.autoCreate ?? process.env['NODE_ENV'] !== 'production'
  const { graphs, histories, created } = modelsOf(schema)
  const internal = features.flatMap((feature) => feature.models)
  const models = new Map([...created, ...internal].map((model) => [model.name, model]))
  assertChecks(created)
  const factory = typeof target === 'function' ? target : await backendOf(target, options)
  const backend = factory({ models })
  await backend.open()
  const known = { schema, models, autoCreate, created, graphs }
  const session = new RootSession(backend, models, options.clock ?? systemClock, (inner, reach, model) =>
    idsInReach(inner, reach, model, known),
  )
  const migrations = migrationsOf(backend, session, schema, models, created)
  try {
    migrations.register(options.migrations ?? [])
    if (fits) {
      if (options.autoMigrate ?? autoCreate) await migrations.apply()
      else await migrations.assertApplied()
      await fitTables(backend.schema, [...created], autoCreate)
    }
  } catch (error) {
    await backend.close()
    throw error
  }
  const { sql } = backend.traits
  const kyselyOf = sql === undefined ? undefined : (await import('./kysely.ts')).kyselyFor(sql)
  const sealer = new Sealer(new EnsuringSession(session, auditModels), () => session.counters.failures++)
  const caches = new Caches(new EnsuringSession(session, [cacheEntries]), () => session.assertUsable())
  const settling = new BackgroundSettling(session, () => session.counters.failures++)
  const recorder = new Recorder(new Concerns(histories, schema.models), (history) => {
    settling.later(history)
    session.notify(history.topic)
  })
  const audit = { redaction, sealer }
  const reads = new ReadCache(session, () => session.assertUsable())
  const shared = { ...known, migrations, kyselyOf, audit, caches, reads, histories, recorder, settling }
  return new Storage<S>(shared, session, backend)
}

/** The models whose tables are made when a storage opens: those of the schema, and those of the features it uses. */
function modelsOf(schema: Schema) {
  const declared = features.filter((feature) => feature.declaredIn(schema)).flatMap((feature) => feature.models)
  const graphs = declaredGraphs(schema)
  const ofGraphs = [...graphs.values()].flatMap(({ nodes, edges }) => [nodes, edges])
  const histories = declaredHistories(schema)
  const ofHistories = [...histories.values()].map(({ versions }) => versions)
  const created = new Set([...schema.models.values(), ...declared, ...ofGraphs, ...ofHistories])
  return { graphs, histories, created }
}

function migrationsOf(
  backend: Backend,
  session: RootSession,
  schema: Schema,
  models: Map<string, Model>,
  created: ReadonlySet<Model>,
): Migrations {
  return new Migrations({
    session,
    schema: backend.schema,
    declared: [...created],
    features: [...created].filter((model) => schema.models.get(model.name) !== model),
    withModel: async (model, work) => {
      models.set(model.name, model)
      try {
        return await work()
      } finally {
        models.delete(model.name)
      }
    },
    alter: (work) => session.alter(work),
  })
}

/**
 * Opens the storage that the environment names: `STORAGE_URL`, or `STORAGE_BACKEND` (`memory` unless set) with `SQLITE_PATH` or
 * `POSTGRESQL_URL`.
 *
 * @param environment `process.env` unless given.
 * @throws ConfigurationError when it names no backend, or one without saying where its data is; and whatever `openStorage` throws.
 *
 * @example
 * ```ts
 * // STORAGE_URL=postgres://user:password@host/app, or STORAGE_BACKEND=sqlite SQLITE_PATH=./app.db
 * const storage = await openStorageFromEnv({ schema })
 * ```
 */
export async function openStorageFromEnv<const S extends Schema = NoSchema>(
  options: StorageOptions<S> = {},
  environment: Environment = process.env,
): Promise<Storage<S>> {
  return openStorage(targetFromEnv(environment), options)
}
