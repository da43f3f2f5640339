import { contentOf, type Plan, type Row, type Session } from '../backend/index.ts'
import { type Issue, MigrationError, ValidationError } from '../base/errors.ts'
import { fromRow, Repository } from '../repository/index.ts'
import { acceptJson, type Model, type ModelColumn } from '../schema/index.ts'
import { ascending, modelScope, outputs, proposed, readWhere, Shape } from '../statement/index.ts'
import type { AlteringSession } from './host.ts'
import type { DataStep, DialectSql, RowChange } from './step.ts'

/** The key of the last row that was done, by the columns of the primary key. */
export type Cursor = readonly unknown[]

/** How far a data step has come. */
export interface DataProgress {
  /** Null at the start. */
  readonly after: Cursor | null
  /** How many rows were changed. */
  readonly rows: number
}

/** What one batch did. */
export interface BatchDone extends DataProgress {
  /** Whether it was the last one. */
  readonly done: boolean
}

/** Rows that come through this process are few at a time, so that memory stays small. */
const EACH_BATCH = 10_000
/** Every batch is a commit, which costs a disk its time. */
const STATEMENT_BATCH = 100_000

// biome-ignore lint/suspicious/noExplicitAny: the rows of a model that is known at run time only.
type Rows = Repository<any, any, any, any, any>

/**
 * Does the next batch of a data step, in the order of the primary key: reads where it ends, and changes the rows up to there.
 *
 * @param model the table as it is at this step, under a name that no other model has.
 */
export async function runBatch(
  session: AlteringSession,
  model: Model,
  step: DataStep,
  from: DataProgress,
): Promise<BatchDone> {
  const rows: Rows = new Repository(session, model)
  const { batch = step.each === undefined ? STATEMENT_BATCH : EACH_BATCH } = step
  const [end] = (await rows.find({
    where: range(model, from.after, null) as never,
    select: [...model.primaryKey] as never,
    limit: 1,
    offset: batch - 1,
  })) as Row[]
  const upper = end === undefined ? null : model.primaryKey.map((name) => end[name])
  const within = { and: [range(model, from.after, upper), step.where ?? {}] }
  const count =
    step.each !== undefined
      ? await changeEach(session, model, step.each, within)
      : step.sql === undefined
        ? await rows.updateMany(within as never, step.set as never)
        : await changeBySql(session, model, step.sql, from.after, upper)
  return { after: upper, rows: from.rows + count, done: upper === null }
}

/** How many rows a data step is about. */
export function countRows(session: Session, model: Model, { where }: DataStep): Promise<number> {
  const rows: Rows = new Repository(session, model)
  return where === undefined ? rows.count() : rows.count(where as never)
}

async function changeEach(
  session: AlteringSession,
  model: Model,
  each: NonNullable<DataStep['each']>,
  within: object,
): Promise<number> {
  const page = new ChangedPage(model)
  for (const row of await lockRows(session, model, within)) {
    const given = each(fromRow(model, row))
    page.add(row, isPromise(given) ? await given : given)
  }
  await page.write(session)
  return page.changed
}

/** The rows of a batch. Others wait to write them, or to take them away, until it is committed: they would be overwritten, or brought back. */
async function lockRows(session: AlteringSession, model: Model, within: object): Promise<readonly Row[]> {
  const shape = new Shape(`${model.name} lock`)
  const where = readWhere(within, modelScope(model), shape)
  shape.assertValid(`A query of ${model.name} was refused`)
  const plan = session.plan(shape.key, () => ({
    kind: 'select',
    model: model.name,
    joins: [],
    outputs: outputs(model.columns.map(({ name }) => name)),
    ...(where !== undefined && { where }),
    orderBy: ascending(...model.primaryKey),
    locked: true,
  }))
  return (await session.execute(plan, shape.parameters)).rows
}

/** The rows of a page that change. */
class ChangedPage {
  readonly #model: Model
  readonly #names: readonly string[]
  /** The columns that may change, by their names. */
  readonly #columns: ReadonlyMap<string, ModelColumn>
  readonly #written = new Set<string>()
  /** All columns of all rows, one after the other. */
  readonly #parameters: unknown[] = []
  changed = 0

  constructor(model: Model) {
    this.#model = model
    this.#names = model.columns.map(({ name }) => name)
    this.#columns = new Map(
      model.columns.filter(({ name }) => !model.primaryKey.includes(name)).map((column) => [column.name, column]),
    )
  }

  /**
   * Notes what becomes of a row. One whose values stay is left alone.
   *
   * @throws ValidationError
   */
  add(row: Row, patch: RowChange): void {
    if (patch === null || patch === undefined) return
    const accepted = this.#accept(patch)
    if (!this.#differs(row, accepted)) return
    this.changed++
    for (const name of this.#names) this.#parameters.push(name in accepted ? accepted[name] : row[name])
    for (const name in accepted) this.#written.add(name)
  }

  /** Writes all rows in one statement: each is there and locked, so that what is inserted is always a change. */
  async write(session: Session): Promise<void> {
    if (this.changed === 0) return
    const model = this.#model
    const columns = [...this.#written]
    const plan: Plan = session.plan(`${model.name} data ${columns.join('\0')}`, () => ({
      kind: 'insert',
      model: model.name,
      columns: this.#names.map((column) => ({ column, value: 'given' })),
      leading: 0,
      onConflict: {
        columns: model.primaryKey,
        set: columns.map(proposed),
      },
      returning: [],
    }))
    await session.execute(plan, this.#parameters)
  }

  #differs(row: Row, accepted: Row): boolean {
    for (const name in accepted) {
      const [before, after] = [row[name], accepted[name]]
      if (before !== after && (typeof after !== 'object' || contentOf(before) !== contentOf(after))) return true
    }
    return false
  }

  /** The values that change, checked as those of a repository are. */
  #accept(patch: Row): Row {
    const issues: Issue[] = []
    const accepted: Row = {}
    for (const name of Object.keys(patch)) {
      const column = this.#columns.get(name)
      const value = patch[name]
      if (column === undefined) {
        const isKey = this.#model.byName.has(name)
        issues.push({ path: name, reason: isKey ? 'is the key of the row' : 'is not a column of the table' })
      } else if (value === null && column.nullable) accepted[name] = null
      else
        accepted[name] = column.type === 'json' ? acceptJson(value, name, issues) : column.accept(value, name, issues)
    }
    if (issues.length === 0) return accepted
    throw new ValidationError(`A change of a row of ${this.#model.table} was refused`, issues)
  }
}

async function changeBySql(
  session: AlteringSession,
  model: Model,
  sql: DialectSql,
  after: Cursor | null,
  upper: Cursor | null,
): Promise<number> {
  const dialect = session.traits.sql
  if (dialect === undefined) return 0
  const text = typeof sql === 'string' ? sql : sql[dialect]
  if (text === undefined) {
    throw new MigrationError(`A data step has SQL, but none for ${dialect}.`, { hint: `Give it: { ${dialect}: '…' }.` })
  }
  const [key, ...others] = model.primaryKey.map((name) => model.byName.get(name) as ModelColumn)
  if (key === undefined || others.length > 0 || !SQL_KEYS.has(key.type)) {
    throw new MigrationError(`Rows of ${model.table} cannot be told apart in SQL by one plain key.`, {
      hint: 'Use `set` or `each` for this table.',
    })
  }
  const parameters: unknown[] = []
  const bounds = [
    [after, '>'],
    [upper, '<='],
  ].flatMap(([bound, operator]) => {
    if (bound === null) return []
    parameters.push((bound as Cursor)[0])
    return [`${quoted(key.column)} ${operator} ${dialect === 'postgres' ? `$${parameters.length}` : '?'}`]
  })
  const where = bounds.length === 0 ? '' : ` where ${bounds.join(' and ')}`
  return (await session.sql(`update ${quoted(model.table)} set ${text}${where}`, parameters)).count
}

/** The types of keys that drivers take as they are. */
const SQL_KEYS = new Set(['text', 'integer', 'bigint', 'uuid', 'date', 'enum'])

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** The condition that a row comes after one key and not after another, in the order of the primary key. */
function range({ primaryKey }: Model, after: Cursor | null, upper: Cursor | null): Record<string, unknown> {
  const conditions: Record<string, unknown>[] = []
  if (after !== null) conditions.push(beyond(primaryKey, after, 'gt'))
  if (upper !== null)
    conditions.push(
      primaryKey.length === 1
        ? { [primaryKey[0] as string]: { lte: upper[0] } }
        : { not: beyond(primaryKey, upper, 'gt') },
    )
  return conditions.length === 1 ? (conditions[0] as Record<string, unknown>) : { and: conditions }
}

function beyond(key: readonly string[], values: Cursor, operator: 'gt'): Record<string, unknown> {
  const [name = '', ...rest] = key
  const [value, ...others] = values
  if (rest.length === 0) return { [name]: { [operator]: value } }
  return { or: [{ [name]: { [operator]: value } }, { and: [{ [name]: value }, beyond(rest, others, operator)] }] }
}

/** A cursor as JSON. */
export function writeCursor(model: Model, cursor: Cursor): unknown[] {
  return model.primaryKey.map((_, at) => {
    const value = cursor[at]
    if (typeof value === 'bigint') return String(value)
    if (value instanceof Date) return value.toISOString()
    return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
  })
}

/** The cursor of a JSON. */
export function readCursor(model: Model, written: readonly unknown[]): Cursor {
  return model.primaryKey.map((name, at) => {
    const value = written[at] as string
    switch (model.byName.get(name)?.type) {
      case 'bigint':
        return BigInt(value)
      case 'timestamp':
        return new Date(value)
      case 'bytes':
        return new Uint8Array(Buffer.from(value, 'hex'))
      default:
        return value
    }
  })
}

function isPromise(given: RowChange | Promise<RowChange>): given is Promise<RowChange> {
  return typeof (given as { readonly then?: unknown } | null | undefined)?.then === 'function'
}
