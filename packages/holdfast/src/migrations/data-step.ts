import type { Plan, Row, Session } from '../backend/index.ts'
import { type Issue, MigrationError, ValidationError } from '../base/errors.ts'
import { Repository } from '../repository/index.ts'
import { acceptJson, type Model, type ModelColumn } from '../schema/index.ts'
import type { AlteringSession } from './host.ts'
import type { DataStep, DialectSql } from './step.ts'

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

const DEFAULT_BATCH = 10_000

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
  const { batch = DEFAULT_BATCH } = step
  if (step.each !== undefined) return changeEach(session, rows, model, step, from, batch)
  const [end] = (await rows.find({
    where: range(model, from.after, null) as never,
    select: [...model.primaryKey] as never,
    limit: 1,
    offset: batch - 1,
  })) as Row[]
  const upper = end === undefined ? null : model.primaryKey.map((name) => end[name])
  const within = range(model, from.after, upper)
  const count =
    step.sql === undefined
      ? await rows.updateMany({ and: [within, step.where ?? {}] } as never, step.set as never)
      : await changeBySql(session, model, step.sql, from.after, upper)
  return { after: upper, rows: from.rows + count, done: upper === null }
}

/** How many rows a data step is about. */
export function countRows(session: Session, model: Model, { where }: DataStep): Promise<number> {
  const rows: Rows = new Repository(session, model)
  return where === undefined ? rows.count() : rows.count(where as never)
}

async function changeEach(
  session: Session,
  rows: Rows,
  model: Model,
  step: DataStep,
  from: DataProgress,
  batch: number,
): Promise<BatchDone> {
  const found = (await rows.find({
    where: { and: [range(model, from.after, null), step.where ?? {}] } as never,
    limit: batch,
  })) as Row[]
  const changed: Row[] = []
  const columns = new Set<string>()
  for (const row of found) {
    const patch = await step.each?.({ ...row })
    if (patch === null || patch === undefined) continue
    for (const name of Object.keys(patch)) columns.add(name)
    changed.push(accepted(model, row, patch))
  }
  if (changed.length > 0 && columns.size > 0) await write(session, model, changed, [...columns])
  const last = found.at(-1)
  const done = found.length < batch
  const after = last === undefined ? from.after : model.primaryKey.map((name) => last[name])
  return { after, rows: from.rows + changed.length, done }
}

/** The row with its changes, checked as those of a repository are. */
function accepted(model: Model, row: Row, patch: Row): Row {
  const issues: Issue[] = []
  const result = { ...row }
  for (const [name, value] of Object.entries(patch)) {
    const column = model.byName.get(name)
    if (column === undefined || model.primaryKey.includes(name)) {
      issues.push({ path: name, reason: column === undefined ? `is no column of the table` : 'is the key of the row' })
    } else if (value === null && column.nullable) result[name] = null
    else result[name] = column.type === 'json' ? acceptJson(value, name, issues) : column.accept(value, name, issues)
  }
  if (issues.length === 0) return result
  throw new ValidationError(`A change of a row of ${model.table} was refused`, issues)
}

/** All rows in one statement: each is there, so that what is inserted is always a change. */
async function write(session: Session, model: Model, rows: readonly Row[], columns: readonly string[]): Promise<void> {
  const plan: Plan = session.plan(`${model.name} data ${columns.join(',')}`, () => ({
    kind: 'insert',
    model: model.name,
    columns: model.columns.map(({ name }) => ({ column: name, value: 'given' })),
    leading: 0,
    onConflict: {
      columns: model.primaryKey,
      set: columns.map((column) => ({ field: { source: 0, column, path: [] }, operation: 'proposed' })),
    },
    returning: [],
  }))
  await session.execute(
    plan,
    rows.flatMap((row) => model.columns.map(({ name }) => row[name])),
  )
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
