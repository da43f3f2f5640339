import { hostname, userInfo } from 'node:os'
import type { ExistingTable, SchemaChange, SchemaEditor, Session, Traits } from '../backend/index.ts'
import { ConflictError, ConstraintError, isHoldfastError, LeaseLostError, MigrationError } from '../base/errors.ts'
import type { Model, Models } from '../schema/index.ts'
import { changesOf, type StepChanges } from './changes.ts'
import { type BatchDone, countRows, type DataProgress, readCursor, runBatch, writeCursor } from './data-step.ts'
import { fitOf } from './fit.ts'
import type { AlteringSession, MigrationHost } from './host.ts'
import { noteApplied, noteRolledBack } from './ledger.ts'
import type { MigrationLock } from './lock.ts'
import { checksumOf, type ReadMigration } from './migration.ts'
import { offendersOf } from './offenders.ts'
import type { PlannedRun } from './plan.ts'
import type { SchemaState } from './schema-state.ts'
import type { DataStep, Step } from './step.ts'

/** What running a migration needs. */
export interface RunContext {
  readonly host: MigrationHost
  readonly lock: MigrationLock
  /** The tables that were there before, by name: some of them may have been made by `autoCreate`. */
  readonly live: Map<string, ExistingTable>
  readonly onProgress?: ((progress: MigrationProgress) => void) | undefined
}

/** How far a data step is. */
export interface MigrationProgress {
  /** The migration. */
  readonly name: string
  /** Which of its steps, from 1 on. */
  readonly step: number
  /** The table in the database. */
  readonly table: string
  /** How many rows were changed. */
  readonly rows: number
  /** How many rows match; all of the table for SQL. */
  readonly total: number
  /** Whether it was the last batch. */
  readonly done: boolean
}

/**
 * Makes the steps of `up` and notes them in the ledger, in one transaction; around data steps, whose batches are committed one by one, in one
 * before and one after. Gives how long it took.
 */
export async function runUp(
  context: RunContext,
  { migration, before, resumed }: PlannedRun,
  position: number,
): Promise<number> {
  const started = performance.now()
  const steps = prepared(context, migration, before, 'up')
  const since = resumed?.durationMs ?? 0
  const durationMs = (): number => since + Math.round(performance.now() - started)
  const note = async (session: Session, done: number, progress: DataProgress | null): Promise<void> => {
    const isDone = done === steps.length
    await noteApplied(session, {
      name: migration.name,
      position: resumed?.position ?? position,
      checksum: checksumOf(migration.up.slice(0, isDone ? undefined : done)),
      durationMs: durationMs(),
      appliedBy: whoRuns(),
      version: process.env['npm_package_version'] ?? null,
      state: isDone ? 'applied' : 'running',
      steps: done,
      cursor: progress?.after ?? null,
      rows: progress?.rows ?? 0,
    })
  }
  let at = resumed?.steps ?? 0
  let left: DataProgress = { after: resumed?.cursor ?? null, rows: resumed?.rows ?? 0 }
  do {
    const prepared = steps[at]
    if (prepared?.step.kind === 'data') {
      const done = at
      await runData(context, migration, prepared, done, left, (session, progress) =>
        note(session, progress === null ? done + 1 : done, progress),
      )
      at++
      left = { after: null, rows: 0 }
    } else {
      const end = steps.findIndex(({ step }, index) => index > at && step.kind === 'data')
      const next = end === -1 ? steps.length : end
      await inTransaction(context, migration, async (session) => {
        await makeSteps(context.host, session, migration, steps, at, next)
        await note(session, next, null)
      })
      at = next
    }
  } while (at < steps.length)
  return durationMs()
}

/** Runs the batches of a data step, each with a note of how far it is; with null after the last. */
async function runData(
  context: RunContext,
  migration: ReadMigration,
  { step, models }: PreparedStep,
  at: number,
  from: DataProgress,
  note: (session: Session, progress: DataProgress | null) => Promise<void>,
): Promise<void> {
  const { host, onProgress } = context
  const model = modelOf(step as DataStep, models)
  let progress: BatchDone = { ...from, after: from.after && readCursor(model, from.after), done: false }
  await host.withModel(model, async () => {
    const total = onProgress === undefined ? 0 : await countRows(host.session, model, step as DataStep)
    while (!progress.done) {
      progress = await inTransaction(context, migration, async (session) => {
        const done = await attempt(migration, at, step, () => runBatch(session, model, step as DataStep, progress))
        const after = done.after === null ? null : writeCursor(model, done.after)
        await note(session, done.done ? null : { rows: done.rows, after })
        return done
      })
      onProgress?.({
        name: migration.name,
        step: at + 1,
        table: model.table,
        rows: progress.rows,
        total,
        done: progress.done,
      })
    }
  })
}

/** The table of a data step as it is then, under a name that no other model has. */
function modelOf({ table }: DataStep, models: Models): Model {
  const model = models.get(table) as Model
  return { ...model, name: `holdfastData${++dataSteps} ${table}`, history: undefined } as unknown as Model
}

let dataSteps = 0

/** Makes the steps of `down` and takes the migration out of the ledger, in one transaction. */
export async function runDown(context: RunContext, migration: ReadMigration, before: SchemaState): Promise<number> {
  const started = performance.now()
  const steps = prepared(context, migration, before, 'down')
  await inTransaction(context, migration, async (session) => {
    await makeSteps(context.host, session, migration, steps, 0, steps.length)
    await noteRolledBack(session, migration.name)
  })
  return Math.round(performance.now() - started)
}

/** The SQL of the steps of `up`, as it would be run. */
export function statementsOf(
  { name, up }: ReadMigration,
  before: SchemaState,
  schema: Pick<SchemaEditor, 'statements'>,
  dialect: Traits['sql'],
): string[] {
  return changesOf(before, up, dialect, { migration: name, direction: 'up' }).flatMap(({ changes, models }) =>
    schema.statements(changes, models),
  )
}

interface PreparedStep extends StepChanges {
  /** As `changes`, without what is there already. */
  readonly fitted: readonly SchemaChange[]
}

function prepared(
  { host, live }: RunContext,
  migration: ReadMigration,
  before: SchemaState,
  direction: 'up' | 'down',
): PreparedStep[] {
  const steps = migration[direction] ?? []
  try {
    return changesOf(before, steps, host.session.traits.sql, { migration: migration.name, direction }).map((one) => ({
      ...one,
      fitted: one.changes.flatMap((change) => fitted(change, live, host)),
    }))
  } catch (error) {
    throw failed(migration, error, 'Correct the migration; nothing was done.')
  }
}

/**
 * A change without what is there already: in development the schema in the code is ahead of the migrations, and `autoCreate` has added what
 * they are about to add.
 *
 * @throws MigrationError where a table that is there is another.
 */
function fitted(change: SchemaChange, live: Map<string, ExistingTable>, { schema }: MigrationHost): SchemaChange[] {
  if (change.kind === 'createTable') {
    const table = live.get(change.model.table)
    if (table === undefined) return [change]
    const { changes, differences } = fitOf(change.model, table, schema)
    if (differences.length === 0) return [...changes]
    throw new MigrationError(`There is a table ${table.name} already, and it is another: ${differences.join('; ')}.`, {
      code: 'SCHEMA_MISMATCH',
      hint: 'Open the storage with autoCreate: false, so that only migrations make tables; or drop or rename that table.',
      differences,
    })
  }
  if (change.kind === 'dropTable') live.delete(change.table)
  if (change.kind !== 'alterTable') return [change]
  const table = live.get(change.from.table)
  if (table === undefined) return [change]
  live.delete(table.name)
  const names = new Set(change.from.columns.map(({ column }) => column))
  const after = schema.expected(change.to)
  const expected = after.columns
  const others = table.columns.filter(({ name }) => !names.has(name) && !expected.some((one) => one.name === name))
  live.set(change.to.table, {
    ...after,
    columns: [...expected, ...others],
    indexes: [...table.indexes, ...after.indexes],
  })
  const there = change.to.columns.filter(({ column }) => {
    const found = table.columns.find(({ name }) => name === column)
    const wanted = expected.find(({ name }) => name === column)
    return !names.has(column) && found?.type === wanted?.type && found?.nullable === wanted?.nullable
  })
  if (there.length === 0) return [change]
  const columns = [...change.from.columns, ...there]
  const isThere = (column: string): boolean => there.some(({ name }) => name === column)
  const from = {
    ...change.from,
    columns,
    byName: new Map(columns.map((column) => [column.name, column])),
    indexes: change.to.indexes.filter(({ name }) => table.indexes.some((index) => index.name === name)),
    foreignKeys: [...change.from.foreignKeys, ...change.to.foreignKeys.filter(({ column }) => isThere(column))],
    checks: [...change.from.checks, ...change.to.checks.filter(({ nullPasses }) => isThere(nullPasses ?? ''))],
  }
  return [{ ...change, from }]
}

async function inTransaction<T>(
  { host, lock }: RunContext,
  migration: ReadMigration,
  work: (session: AlteringSession) => Promise<T>,
): Promise<T> {
  try {
    return await host.alter(async (session) => {
      await lock.hold(session)
      const value = await work(session)
      await lock.hold(session)
      return value
    })
  } catch (error) {
    // SQLite looks at references when all is done.
    throw error instanceof ConstraintError ? failed(migration, error, hintFor(error, migration), 'at its end') : error
  }
}

/** Makes the steps from one to before another. Data steps among them are run whole, in the same transaction. */
async function makeSteps(
  host: MigrationHost,
  session: AlteringSession,
  migration: ReadMigration,
  steps: readonly PreparedStep[],
  from: number,
  to: number,
): Promise<void> {
  for (const [offset, prepared] of steps.slice(from, to).entries()) {
    const { fitted, models, step } = prepared
    if (step.kind === 'data') {
      const model = modelOf(step, models)
      let progress: BatchDone = { after: null, rows: 0, done: false }
      await host.withModel(model, async () => {
        while (!progress.done)
          progress = await attempt(migration, from + offset, step, () => runBatch(session, model, step, progress))
      })
    }
    if (fitted.length > 0) {
      await attempt(
        migration,
        from + offset,
        step,
        () => session.runNested((inner) => inner.applySchema(fitted, models)),
        (error) => offendersOf(host, session, { before: prepared.before, changed: changedModels(fitted), error }),
      )
    }
  }
}

function changedModels(changes: readonly SchemaChange[]): { readonly from: Model; readonly to: Model }[] {
  return changes.flatMap((change) => (change.kind === 'alterTable' ? [{ from: change.from, to: change.to }] : []))
}

/** @param offenders the rows that are to blame, one sentence each. */
async function attempt<T>(
  migration: ReadMigration,
  at: number,
  { kind }: Step,
  work: () => Promise<T>,
  offenders: (error: unknown) => Promise<readonly string[]> = async () => [],
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof LeaseLostError || (isHoldfastError(error) && error.retryable)) throw error
    const where = `at step ${at + 1} of ${migration.up.length}, ${kind}`
    throw failed(migration, error, hintFor(error, migration, at), where, await offenders(error))
  }
}

function hintFor(error: unknown, { up }: ReadMigration, at = up.length): string {
  // What a data step has committed stays, with all before it.
  if (up.slice(0, at + 1).some(({ kind }) => kind === 'data'))
    return 'The steps and batches before stay done: correct what failed and apply it again, and it goes on from there.'
  if (error instanceof ConflictError)
    return 'Rows that are there collide: change them in a step before. Nothing was kept.'
  if (error instanceof ConstraintError)
    return 'Rows that are there do not meet it: give `fill`, or change them in a step before. Nothing was kept.'
  return 'Correct the migration and apply it again. Nothing of it was kept.'
}

function failed(
  { name }: ReadMigration,
  error: unknown,
  hint: string,
  where = 'before its first step',
  offenders: readonly string[] = [],
): MigrationError {
  const reason = error instanceof Error ? error.message : String(error)
  const rows = offenders.length === 0 ? '' : ` ${offenders.join('; ')}.`
  return new MigrationError(`The migration ${name} failed ${where}: ${reason}${rows}`, {
    hint,
    cause: error,
    differences: offenders,
    ...(error instanceof MigrationError && { code: error.code as 'MIGRATION', differences: error.differences }),
  })
}

function whoRuns(): string {
  return `${userName()}@${hostname()} ${process.pid}`
}

/** A container may run as a user without a name. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}
