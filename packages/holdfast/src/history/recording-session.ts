import {
  DelegatingSession,
  type GatheredWriter,
  type Plan,
  type Result,
  type RetryingTransactionOptions,
  type Row,
  type Session,
} from '../backend/index.ts'
import { ConfigurationError, SerializationError } from '../base/errors.ts'
import type { Model } from '../schema/index.ts'
import { type Delete, type Insert, outputs, type Statement, type Update } from '../statement/index.ts'
import { Carried, Later, mayChange } from './carried.ts'
import { type Change, changeOf, keyOfRow, writeChanges } from './change.ts'
import type { Concerns } from './concern.ts'
import type { History } from './models.ts'
import { WriteGroups } from './write-groups.ts'

/** What recording needs to know: one for a storage. */
export class Recorder {
  readonly concerns: Concerns
  readonly groups: WriteGroups = new WriteGroups()
  readonly #changed: (history: History) => void
  readonly #writers = new Map<History, GatheredWriter<Change>>()

  /** @param changed called after each commit that changed a history. */
  constructor(concerns: Concerns, changed: (history: History) => void) {
    this.concerns = concerns
    this.#changed = changed
  }

  /** What writes the changes of one history. */
  writerOf(history: History): GatheredWriter<Change> {
    const known = this.#writers.get(history)
    if (known !== undefined) return known
    const writer: GatheredWriter<Change> = {
      write: async (session, changes) => {
        await writeChanges(session, history, changes)
        session.afterCommit(() => this.#changed(history))
      },
    }
    this.#writers.set(history, writer)
    return writer
  }
}

/**
 * A session whose writes are recorded in the history of the models that they change: the rows as they were written, and those that
 * foreign keys carry along. They are written together right before the commit.
 */
export class RecordingSession extends DelegatingSession {
  readonly #recorder: Recorder

  constructor(inner: Session, recorder: Recorder) {
    super(inner)
    this.#recorder = recorder
  }

  override plan(key: string, statement: () => Statement): Plan {
    return this.inner.plan(key, () => this.#givingRows(statement()))
  }

  override execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    const { statement } = plan
    if (statement.kind === 'select') return this.inner.execute(plan, parameters)
    const histories = this.#recorder.concerns.of(statement)
    if (histories.length === 0) return this.inner.execute(plan, parameters)
    const record = (tx: Session) => this.#record(tx, plan, statement, histories, parameters)
    if (this.inner.inTransaction) return record(this.inner)
    // What is read before it is written must not change in between.
    if (this.#readsFirst(statement)) return this.inner.transaction(record)
    try {
      this.inner.assertUsable()
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#recorder.groups.write(this.inner, record)
  }

  override transaction<T>(work: (session: Session) => Promise<T>, options?: RetryingTransactionOptions): Promise<T> {
    return this.inner.transaction((session) => work(new RecordingSession(session, this.#recorder)), options)
  }

  /** A write to a model with a history gives its rows back, so that they can be recorded. */
  #givingRows(statement: Statement): Statement {
    if (statement.kind === 'select') return statement
    const { concerns } = this.#recorder
    const model = this.models.get(statement.model) as Model
    const needed = concerns.historyOf(model.name) !== undefined || this.#readsFirst(statement)
    if (!needed || isPlainInsert(statement, model)) return statement
    return { ...statement, returning: model.columns.map(({ name }) => name) }
  }

  #readsFirst(statement: Insert | Update | Delete): boolean {
    const { concerns } = this.#recorder
    if (statement.kind === 'delete') return concerns.whenDeleted(statement.model).length > 0
    return statement.kind === 'update' && concerns.changesKey(statement)
  }

  #record(
    session: Session,
    plan: Plan,
    statement: Insert | Update | Delete,
    histories: readonly History[],
    parameters: readonly unknown[],
  ): Promise<Result> {
    const recorded = this.#write(session, plan, statement, parameters)
    for (const history of histories) {
      const changes = recorded.then(({ changesOf }) => changesOf(history.model))
      session.beforeCommit(this.#recorder.writerOf(history), changes)
    }
    return recorded.then(({ result }) => result)
  }

  async #write(
    session: Session,
    plan: Plan,
    statement: Insert | Update | Delete,
    parameters: readonly unknown[],
  ): Promise<{ result: Result; changesOf: (model: Model) => Change[] }> {
    const { concerns } = this.#recorder
    const model = session.models.get(statement.model) as Model
    const carried = new Carried(session, concerns)
    let own: Change[] = []
    let result: Result
    if (statement.kind === 'insert') {
      if (concerns.changesKey(statement)) throw keyInUpsert(model)
      result = await session.execute(plan, parameters)
      own = insertedChanges(model, statement, parameters, result)
    } else if (statement.kind === 'delete') {
      const before = this.#readsFirst(statement) ? await matching(session, statement, parameters) : undefined
      if (before !== undefined) await carried.deleted(model, before)
      result = await session.execute(plan, parameters)
      if (before !== undefined) assertNoOthers(model, before, result.rows)
      own = result.rows.map((row) => changeOf(model, 'delete', row))
    } else {
      const before = this.#readsFirst(statement) ? await matching(session, statement, parameters) : undefined
      // Only a key of one column is referred to, and only one record can be given a certain key.
      const key = model.primaryKey[0] as string
      const to = new Later()
      if (before?.length === 1) await carried.moved(model, before[0]?.[key], to)
      result = await session.execute(plan, parameters)
      to.value = result.rows[0]?.[key]
      own = updatedChanges(model, before, result.rows)
    }
    return {
      result,
      // A record that refers to its own model may be carried along by what was done to another.
      changesOf: (of) => (of.name === model.name ? merged(own, carried.changes(of)) : carried.changes(of)),
    }
  }
}

/** Whether the rows are known before they are inserted. */
function isPlainInsert(statement: Statement, model: Model): statement is Insert {
  return (
    statement.kind === 'insert' &&
    statement.onConflict === undefined &&
    statement.columns.every(({ value }) => value === 'given') &&
    model.columns.every(
      ({ name, generated }) =>
        statement.columns.some(({ column }) => column === name) || (generated && statement.returning.includes(name)),
    )
  )
}

function insertedChanges(model: Model, statement: Insert, parameters: readonly unknown[], result: Result): Change[] {
  if (!isPlainInsert(statement, model)) return result.rows.map((row) => changeOf(model, 'write', row))
  const width = statement.columns.length
  const count = width === 0 ? result.rows.length : (parameters.length - statement.leading) / width
  return Array.from({ length: count }, (_, at) => {
    const row: Row = { ...result.rows[at] }
    for (const [index, { column }] of statement.columns.entries())
      row[column] = parameters[statement.leading + at * width + index]
    return changeOf(model, 'create', row)
  })
}

function updatedChanges(model: Model, before: readonly Row[] | undefined, after: readonly Row[]): Change[] {
  const updated = after.map((row) => changeOf(model, 'update', row))
  if (before === undefined) return updated
  // A record with another key is another record.
  const keysBefore = new Set(before.map((row) => changeOf(model, 'delete', row).key))
  const keysAfter = new Set(updated.map(({ key }) => key))
  return [
    ...before.map((row) => changeOf(model, 'delete', row)).filter(({ key }) => !keysAfter.has(key)),
    ...updated.map((change): Change => (keysBefore.has(change.key) ? change : { ...change, operation: 'create' })),
  ]
}

function merged(own: readonly Change[], carried: readonly Change[]): Change[] {
  const keys = new Set(own.map(({ key }) => key))
  return [...own, ...carried.filter(({ key }) => !keys.has(key))]
}

/**
 * What was deleted must be what was read before: else what went along with the rest was not seen.
 *
 * @throws SerializationError, so that the transaction is tried again.
 */
function assertNoOthers(model: Model, before: readonly Row[], deleted: readonly Row[]): void {
  const known = new Set(before.map((row) => keyOfRow(model, row)))
  if (deleted.every((row) => known.has(keyOfRow(model, row)))) return
  throw new SerializationError(`Rows of ${model.name} were added while others like them were deleted.`)
}

/**
 * The rows that a statement is about to write. At read committed they are locked, so that until then nothing can come to refer to them, which
 * would be carried along unseen.
 */
async function matching(session: Session, statement: Update | Delete, parameters: readonly unknown[]): Promise<Row[]> {
  const model = session.models.get(statement.model) as Model
  const locked = mayChange(session)
  const plan = session.plan(`${matchingKey(statement)}${locked ? ' locked' : ''}`, () => ({
    kind: 'select',
    model: statement.model,
    joins: [],
    outputs: outputs(model.columns.map(({ name }) => name)),
    orderBy: statement.orderBy,
    ...(statement.where !== undefined && { where: statement.where }),
    ...(statement.limit !== undefined && { limit: statement.limit }),
    ...(locked && { locked }),
  }))
  return (await session.execute(plan, parameters)).rows
}

/** Statements have no names of their own, so their conditions stand for them. */
function matchingKey({ model, where, orderBy, limit }: Update | Delete): string {
  return `${model} matching ${JSON.stringify([where, orderBy, limit])}`
}

function keyInUpsert(model: Model): ConfigurationError {
  return new ConfigurationError(`An upsert of ${model.name}, which has a history, cannot change keys.`, {
    hint: 'Leave the key out of `update`, or update the record by its key.',
  })
}
