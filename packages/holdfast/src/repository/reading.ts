import type { Plan, Result, Row, Session } from '../backend/index.ts'
import { type Issue, NotFoundError, ValidationError } from '../base/errors.ts'
import { checkWhole, describe, type Model } from '../schema/index.ts'
import {
  allOf,
  type Condition,
  equals,
  isPlainObject,
  keyFields,
  modelScope,
  oneOf,
  readWhere,
  type Select,
  Shape,
} from '../statement/index.ts'
import { encodeCursor } from './cursor.ts'
import { identityOf, identityOfAll, loadIncluded, localFields, readInclude, visibleOf, type Wanted } from './include.ts'
import { acceptKey, fromRow } from './record.ts'
import { allOutputs, assertQuery, type Extra, type Finding, type RawQuery, readQuery } from './select.ts'
import type { Page } from './types.ts'

/** Reads one record by its key: one plan for the life of the process. */
export function findById(session: Session, model: Model, key: unknown): Promise<Row | null> {
  try {
    const parameters = acceptKey(model, key)
    return firstRecord(model, session.execute(byIdPlan(session, model), parameters))
  } catch (error) {
    return Promise.reject(error)
  }
}

/**
 * The only record of a result; null where there is none. With `then`, as an async function takes a turn of the microtask queue more,
 * which is a twentieth of a read from SQLite.
 */
export function firstRecord(model: Model, result: Promise<Result>): Promise<Row | null> {
  return model.kind === 'table'
    ? result.then(firstRow)
    : result.then(({ rows: [row] }) => (row === undefined ? null : fromRow(model, row)))
}

function firstRow({ rows }: Result): Row | null {
  return rows[0] ?? null
}

/** @throws NotFoundError */
export async function getById(session: Session, model: Model, key: unknown): Promise<Row> {
  const record = await findById(session, model, key)
  if (record === null) throw new NotFoundError(model.name, key)
  return record
}

const byIdKeys = new WeakMap<Model, string>()

function byIdPlan(session: Session, model: Model): Plan {
  let key = byIdKeys.get(model)
  if (key === undefined) {
    key = `${model.name} findById`
    byIdKeys.set(model, key)
  }
  return session.plan(key, () => ({ ...selectAll(model), where: keyCondition(model, 0) }))
}

function selectAll(model: Model): Select {
  return { kind: 'select', model: model.name, joins: [], outputs: allOutputs(model), orderBy: [] }
}

/** The record with the key whose values are the parameters from `first` on. */
export function keyCondition(model: Model, first: number): Condition {
  return allOf(keyFields(model).map((field, index) => equals(field, first + index))) as Condition
}

/** Reads the records of several keys, in the order of the keys; missing ones are left out, repeated ones given once. */
export async function findByIds(session: Session, model: Model, keys: unknown): Promise<Row[]> {
  if (!Array.isArray(keys)) {
    throw new ValidationError(`A query of ${model.name} was refused`, [
      { path: 'keys', reason: `must be a list, got ${describe(keys)}` },
    ])
  }
  if (model.primaryKey.length > 1) {
    const accepted = Array.from(keys, (key) => acceptKey(model, key))
    const different = new Map(accepted.map((values) => [identityOfAll(values), values]))
    const plan = byIdPlan(session, model)
    const reads = Array.from(different.values(), (values) => firstRecord(model, session.execute(plan, values)))
    return (await Promise.all(reads)).filter((record) => record !== null)
  }
  const [name] = model.primaryKey as [string]
  const values = Array.from(keys, (key) => acceptKey(model, key)[0])
  const plan = session.plan(`${model.name} findByIds`, () => ({
    ...selectAll(model),
    where: oneOf(name, 0),
  }))
  const { rows } = await session.execute(plan, [values])
  const byKey = new Map(rows.map((row) => [identityOf(row[name]), row]))
  const ordered: Row[] = []
  for (const value of values) {
    const text = identityOf(value)
    const row = byKey.get(text)
    if (row !== undefined) ordered.push(fromRow(model, row))
    byKey.delete(text)
  }
  return ordered
}

/** Reads all records of a query. */
export async function find(session: Session, model: Model, query: RawQuery, extra: Extra = {}): Promise<Row[]> {
  assertQuery(model, query)
  const wanted = readInclude(session, model, query.include)
  const finding = readQuery(model, query, { ...extra, fields: localFields(wanted) })
  const { rows } = await session.execute(
    session.plan(finding.key, () => finding.statement),
    finding.parameters,
  )
  const records = toRecords(finding, rows)
  await loadIncluded(session, records, wanted)
  return wanted.length === 0 ? records : withoutExtra(records, query.select, wanted)
}

function toRecords(finding: Finding, rows: Row[]): Row[] {
  for (let index = 0; index < rows.length; index++) rows[index] = finding.toRecord(rows[index] as Row)
  return rows
}

/** Takes away what was read only to load relations. */
function withoutExtra(records: Row[], select: unknown, wanted: readonly Wanted[]): Row[] {
  return Array.isArray(select) ? records.map(visibleOf(select, wanted)) : records
}

/** Reads the first record of a query; null where there is none. */
export async function findOne(session: Session, model: Model, query: RawQuery, extra: Extra = {}): Promise<Row | null> {
  assertQuery(model, query)
  const saysWhich = 'where' in query ? query.where !== undefined : query.orderBy !== undefined
  if (!saysWhich) {
    const reason = 'is required here without orderBy, so that a forgotten condition does not find just any record'
    throw new ValidationError(`A query of ${model.name} was refused`, [{ path: 'where', reason }])
  }
  return (await find(session, model, { ...query, limit: 1 }, extra))[0] ?? null
}

/** A query for a page, as it is read; users get it typed. */
type RawPageQuery = RawQuery & { readonly first?: unknown; readonly after?: unknown }

/** A page has a size instead of a limit, and a cursor instead of an offset. */
function assertPageQuery(model: Model, query: RawPageQuery): void {
  assertQuery(model, query, ['first', 'after'])
  const { first, after } = query
  const issues: Issue[] = []
  for (const path of ['limit', 'offset'])
    if (path in query) issues.push({ path, reason: 'has no place in a page; use first and after' })
  if (first !== undefined) checkWhole(first, 1, 'first', issues)
  if (after !== undefined && after !== null && typeof after !== 'string')
    issues.push({ path: 'after', reason: `must be a cursor, got ${describe(after)}` })
  if (issues.length > 0) throw new ValidationError(`A page of ${model.name} was refused`, issues)
}

/** How many records a page has unless it is said. */
const PAGE_SIZE = 100

/** Reads one page by keyset: a page costs the same wherever it lies. */
export async function page(session: Session, model: Model, query: RawPageQuery, extra: Extra = {}): Promise<Page<Row>> {
  assertPageQuery(model, query)
  const { first = PAGE_SIZE, after, ...rest } = query
  const size = first as number
  const wanted = readInclude(session, model, rest.include)
  const finding = readQuery(
    model,
    { ...rest, limit: size + 1 },
    { ...extra, fields: localFields(wanted), ordering: true, after: (after as string | null) ?? undefined },
  )
  const { rows } = await session.execute(
    session.plan(finding.key, () => finding.statement),
    finding.parameters,
  )
  const last = rows.length > size ? rows[size - 1] : undefined
  const next = last === undefined ? null : encodeCursor(finding.statement.orderBy, finding.orderValues(last))
  const records = toRecords(finding, rows.slice(0, size))
  await loadIncluded(session, records, wanted)
  return { items: withoutExtra(records, rest.select, wanted), next }
}

/** Reads a query's records one by one, with constant memory. */
export async function* stream(
  session: Session,
  model: Model,
  query: RawQuery,
  extra: Extra = {},
): AsyncGenerator<Row, void, undefined> {
  assertQuery(model, query)
  const wanted = readInclude(session, model, query.include)
  const finding = readQuery(model, query, { ...extra, fields: localFields(wanted) })
  const plan = session.plan(finding.key, () => finding.statement)
  for await (const rows of session.stream(plan, finding.parameters)) {
    const records = rows.map(finding.toRecord)
    await loadIncluded(session, records, wanted)
    yield* withoutExtra(records, query.select, wanted)
  }
}

/** Counts the records that match. */
export async function countWhere(session: Session, model: Model, where: unknown, extra: Extra = {}): Promise<number> {
  const shape = new Shape(`${model.name} count`)
  const asked = where === undefined ? undefined : readWhere(where, modelScope(model), shape)
  const further = extra.condition?.(shape)
  const condition = allOf([asked, further].filter((one) => one !== undefined))
  shape.assertValid(`A query of ${model.name} was refused`)
  const plan = session.plan(shape.key, () => ({
    kind: 'select',
    model: model.name,
    joins: [],
    outputs: [{ kind: 'aggregate', name: 'n', function: 'count' }],
    groupBy: [],
    orderBy: [],
    ...(condition !== undefined && { where: condition }),
  }))
  const { rows } = await session.execute(plan, shape.parameters)
  return (rows[0] as { n: number }).n
}

/** Whether there is such a record: by key, or by a condition. */
export async function exists(session: Session, model: Model, keyOrWhere: unknown, extra: Extra = {}): Promise<boolean> {
  const where = isPlainObject(keyOrWhere) ? keyOrWhere : keyWhere(model, keyOrWhere)
  return (await find(session, model, { where, limit: 1, select: model.primaryKey }, extra)).length > 0
}

function keyWhere(model: Model, key: unknown): Row {
  return { [model.primaryKey[0] as string]: acceptKey(model, key)[0] }
}
