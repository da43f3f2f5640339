import { hostname, userInfo } from 'node:os'
import type { SchemaEditor, Session, Traits } from '../backend/index.ts'
import type { Model, Models } from '../schema/index.ts'
import { inTransaction } from './altering.ts'
import { attempt, type MigrationPart } from './attempt.ts'
import { changesOf } from './changes.ts'
import { concurrentChange, runConcurrently } from './concurrent-step.ts'
import { type BatchDone, countRows, type DataProgress, readCursor, runBatch, writeCursor } from './data-step.ts'
import type { AlteringSession, MigrationHost } from './host.ts'
import { noteApplied, noteRolledBack } from './ledger.ts'
import { checksumOf, type ReadMigration } from './migration.ts'
import { offendersOf } from './offenders.ts'
import type { PlannedRun } from './plan.ts'
import { changedModels, type PreparedStep, prepared, type RunContext } from './prepare.ts'
import type { SchemaState } from './schema-state.ts'
import type { DataStep } from './step.ts'

/**
 * Makes the steps of `up` and notes them in the ledger, in one transaction; around steps that are committed on their own (batches of data, and
 * what others may go on beside), in one before and one after. Gives how long it took.
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
  const note: Note = async (session, done, progress) => {
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
  let left = resumed === undefined ? UNBEGUN : { after: resumed.cursor, rows: resumed.rows }
  do {
    at = await runPart(context, { migration, steps, kept: at > 0 || left.after !== null }, at, left, note)
    left = UNBEGUN
  } while (at < steps.length)
  return durationMs()
}

/** A part of a migration, and what each of its steps is to do. */
interface PreparedPart extends MigrationPart {
  readonly steps: readonly PreparedStep[]
}

const UNBEGUN: DataProgress = { after: null, rows: 0 }

/** Notes how many steps are done, and how far the next one is; null where it has not begun. */
type Note = (session: Session, done: number, progress: DataProgress | null) => Promise<void>

/**
 * Makes the step at a place if it is committed on its own, going on from what is done of it; else all up to the next that is. Gives the place
 * after them.
 */
async function runPart(
  context: RunContext,
  part: PreparedPart,
  at: number,
  left: DataProgress,
  note: Note,
): Promise<number> {
  const { steps } = part
  const next = steps[at]
  const change = next === undefined ? undefined : concurrentChange(next, context.host)
  if (next !== undefined && change !== undefined) {
    const whole = { ...part, kept: at > 0 }
    await runConcurrently(context, { whole, prepared: next, change, at, begun: left.after !== null }, note)
    return at + 1
  }
  if (next?.step.kind === 'data') {
    await runData(context, part, at, left, (session, progress) =>
      note(session, progress === null ? at + 1 : at, progress),
    )
    return at + 1
  }
  const alone = steps.findIndex((one, index) => index > at && isAlone(one, context.host))
  const end = alone === -1 ? steps.length : alone
  await inTransaction(context, part, async (session) => {
    await makeSteps(context.host, session, part, at, end)
    await note(session, end, null)
  })
  return end
}

/** Whether a step is not made in one transaction with those around it. */
function isAlone(prepared: PreparedStep, host: MigrationHost): boolean {
  return prepared.step.kind === 'data' || concurrentChange(prepared, host) !== undefined
}

/** Runs the batches of a data step, each with a note of how far it is; with null after the last. */
async function runData(
  context: RunContext,
  part: PreparedPart,
  at: number,
  from: DataProgress,
  note: (session: Session, progress: DataProgress | null) => Promise<void>,
): Promise<void> {
  const { host, onProgress } = context
  const { step, models } = part.steps[at] as PreparedStep
  const model = modelOf(step as DataStep, models)
  let progress: BatchDone = { ...from, after: from.after && readCursor(model, from.after), done: false }
  await host.withModel(model, async () => {
    const total = onProgress === undefined ? 0 : await countRows(host.session, model, step as DataStep)
    while (!progress.done) {
      const batch = { ...part, kept: part.kept || progress.after !== null }
      progress = await inTransaction(context, batch, async (session) => {
        const done = await attempt(batch, at, () => runBatch(session, model, step as DataStep, progress))
        const after = done.after === null ? null : writeCursor(model, done.after)
        await note(session, done.done ? null : { rows: done.rows, after })
        return done
      })
      onProgress?.({
        name: part.migration.name,
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
  const whole: PreparedPart = { migration, steps, kept: false }
  await inTransaction(context, whole, async (session) => {
    await makeSteps(context.host, session, whole, 0, steps.length)
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

/** Makes the steps from one to before another. Data steps among them are run whole, in the same transaction. */
async function makeSteps(
  host: MigrationHost,
  session: AlteringSession,
  part: PreparedPart,
  from: number,
  to: number,
): Promise<void> {
  for (const [offset, prepared] of part.steps.slice(from, to).entries()) {
    const { fitted, models, step } = prepared
    if (step.kind === 'data') {
      const model = modelOf(step, models)
      let progress: BatchDone = { after: null, rows: 0, done: false }
      await host.withModel(model, async () => {
        while (!progress.done)
          progress = await attempt(part, from + offset, () => runBatch(session, model, step, progress))
      })
    }
    if (fitted.length > 0) {
      await attempt(
        part,
        from + offset,
        () => session.runNested((inner) => inner.applySchema(fitted, models)),
        (error) => offendersOf(host, session, { before: prepared.before, changed: changedModels(fitted), error }),
      )
    }
  }
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
