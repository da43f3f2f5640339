import { type Plan, type Row, type Session, together } from '../backend/index.ts'
import { type Issue, ValidationError } from '../base/errors.ts'
import { describe, type Model, unreadable } from '../schema/index.ts'
import type { InsertColumn } from '../statement/index.ts'
import { acceptInto, acceptRecord } from './record.ts'

/** The column that the database counts up; undefined where a model has none. */
export function generatedColumn(model: Model): string | undefined {
  return model.columns.find((column) => column.generated)?.name
}

/** Inserts one record and gives it back as stored. */
export async function create(session: Session, model: Model, input: unknown): Promise<Row> {
  const { record, values } = acceptRecord(model, input, session.clock)
  const omitted = values.length < model.columns.length ? generatedColumn(model) : undefined
  const { rows } = await session.execute(insertPlan(session, model, omitted), values)
  if (omitted !== undefined) record[omitted] = (rows[0] as Row)[omitted]
  return record
}

/** Inserts one record of these values, unless it collides with another; whether it did. */
export async function insertUnlessTaken(session: Session, model: Model, values: readonly unknown[]): Promise<boolean> {
  const plan = session.plan(`${model.name} insert unless taken`, () => ({
    kind: 'insert',
    model: model.name,
    columns: insertColumns(model, undefined),
    leading: 0,
    onConflict: { columns: [], set: [] },
    returning: model.primaryKey,
  }))
  return (await session.execute(plan, values)).rows.length > 0
}

/** Inserts many records, all or none. */
export async function createMany(session: Session, model: Model, inputs: unknown): Promise<Row[]> {
  const { records, values } = acceptRecords(session, model, inputs)
  if (records.length === 0) return []
  const omitted = values.length < records.length * model.columns.length ? generatedColumn(model) : undefined
  if (values.length === 0) return createEmpty(session, model, records.length)
  if (omitted !== undefined && records.some((record) => record[omitted] !== undefined)) {
    const reason = `must be given for all records or for none, so that given and counted keys cannot collide`
    throw new ValidationError(`Records of ${model.name} were refused`, [{ path: omitted, reason }])
  }
  const { rows } = await session.execute(insertPlan(session, model, omitted), values)
  if (omitted === undefined) return records
  for (let index = 0; index < records.length; index++) (records[index] as Row)[omitted] = (rows[index] as Row)[omitted]
  return records
}

/** Rows of nothing but a generated key have no values by which one statement could count them. */
function createEmpty(session: Session, model: Model, count: number): Promise<Row[]> {
  return together(session, async (inner) => {
    const records: Row[] = []
    for (let made = 0; made < count; made++) records.push(await create(inner, model, {}))
    return records
  })
}

function acceptRecords(
  session: Session,
  model: Model,
  inputs: unknown,
): { readonly records: Row[]; readonly values: unknown[] } {
  const subject = `Records of ${model.name} were refused`
  const issues: Issue[] = []
  const values: unknown[] = []
  try {
    if (!Array.isArray(inputs))
      throw new ValidationError(subject, [{ path: '', reason: `must be a list, got ${describe(inputs)}` }])
    const records: Row[] = []
    // Neither with map, which passes over holes, nor with Array.from, which takes twice the time.
    for (let index = 0; index < inputs.length; index++) {
      const before = issues.length
      records.push(acceptInto(model, inputs[index], session.clock, issues, values))
      for (let at = before; at < issues.length; at++) issues[at] = indexed(issues[at] as Issue, index)
    }
    if (issues.length === 0) return { records, values }
  } catch (error) {
    throw unreadable(error, subject, { '': inputs })
  }
  throw new ValidationError(subject, issues)
}

function indexed({ path, reason }: Issue, index: number): Issue {
  return { path: path === '' ? String(index) : `${index}.${path}`, reason }
}

/** The plan that inserts whole records; `omitted` is the column that the database generates. */
function insertPlan(session: Session, model: Model, omitted: string | undefined): Plan {
  return session.plan(insertKey(model, omitted), () => ({
    kind: 'insert',
    model: model.name,
    columns: insertColumns(model, omitted),
    leading: 0,
    returning: omitted === undefined ? [] : [omitted],
  }))
}

/** The columns of whole records; `omitted` is the one that the database generates. */
export function insertColumns(model: Model, omitted: string | undefined): InsertColumn[] {
  const columns = model.columns.filter(({ name }) => name !== omitted)
  return columns.map(({ name }) => ({ column: name, value: 'given' }))
}

const insertKeys = new WeakMap<Model, readonly [string, string]>()

function insertKey(model: Model, omitted: string | undefined): string {
  let keys = insertKeys.get(model)
  if (keys === undefined) {
    keys = [`${model.name} create`, `${model.name} create generated`]
    insertKeys.set(model, keys)
  }
  return omitted === undefined ? keys[0] : keys[1]
}
