import type { Plan, Row, Session } from '../backend/index.ts'
import { ConflictError, type Issue, ValidationError } from '../base/errors.ts'
import { assertOptions, describe, type Model, unreadable } from '../schema/index.ts'
import { type Assignment, type InsertColumn, isPlainObject, proposed, Shape } from '../statement/index.ts'
import { readBookkeeping, readPatch } from './patch.ts'
import { findById, getById } from './reading.ts'
import { acceptInto, acceptRecord } from './record.ts'
import { updateById } from './updating.ts'

/** The column that the database counts up; undefined where a model has none. */
function generatedColumn(model: Model): string | undefined {
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
  return session.transaction(async (inner) => {
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

function insertColumns(model: Model, omitted: string | undefined): InsertColumn[] {
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

/** How `upsert` finds the record it collides with, and what it changes then. */
export interface UpsertOptions {
  readonly on?: unknown
  readonly update?: unknown
}

/** Inserts a record, or updates the one with the same unique fields, in one statement. */
export async function upsert(
  session: Session,
  model: Model,
  input: unknown,
  options: UpsertOptions = {},
): Promise<Row> {
  assertOptions(`An upsert of ${model.name} was refused`, options, ['on', 'update'])
  if (model.kind === 'documents') return upsertDocument(session, model, input, options)
  const { values } = acceptRecord(model, input, session.clock)
  const shape = new Shape(`${model.name} upsert`)
  const target = readTarget(model, options.on, shape)
  for (const name of target) shape.mark(name)
  shape.mark(options.update === undefined ? 'proposed' : 'update')
  const set =
    options.update === undefined
      ? proposedAssignments(session, model, input as Row, target, shape)
      : readPatch(model, options.update, session.clock, shape, 'update')
  const omitted = values.length < model.columns.length ? generatedColumn(model) : undefined
  if (omitted !== undefined) shape.mark('generated')
  shape.assertValid(`An upsert of ${model.name} was refused`)
  const plan = session.plan(shape.key, () => ({
    kind: 'insert',
    model: model.name,
    columns: insertColumns(model, omitted),
    leading: shape.parameters.length,
    onConflict: { columns: target, set },
    returning: model.columns.map(({ name }) => name),
  }))
  const { rows } = await session.execute(plan, [...shape.parameters, ...values])
  return rows[0] as Row
}

function readTarget(model: Model, on: unknown, shape: Shape): readonly string[] {
  const names =
    on === undefined ? model.primaryKey : typeof on === 'string' ? [on] : Array.isArray(on) ? (on as string[]) : []
  const unique = [
    model.primaryKey,
    ...model.indexes.filter((index) => index.unique).map(({ fields }) => fields.map(({ column }) => column)),
  ]
  const found = unique.find(
    (fields) => fields.length === names.length && fields.every((field) => names.includes(field)),
  )
  if (found === undefined)
    shape.refuse('on', `must name the primary key or the fields of a unique index of ${model.name}`)
  return found ?? []
}

/** Without `update`, what was given replaces what is stored; fields left out keep their value. */
function proposedAssignments(
  session: Session,
  model: Model,
  input: Row,
  target: readonly string[],
  shape: Shape,
): Assignment[] {
  const given = model.columns.filter(
    ({ name }) => input[name] !== undefined && !target.includes(name) && name !== 'version',
  )
  // An update of nothing would give no row back; writing the key over itself does.
  const names = given.length > 0 ? given.map(({ name }) => name) : target.slice(0, 1)
  for (const name of names) shape.mark(name)
  return [...names.map(proposed), ...readBookkeeping(model, session.clock, shape)]
}

/** Documents are checked as a whole, so they are read before they are changed; a lost race is tried again. */
async function upsertDocument(session: Session, model: Model, input: unknown, options: UpsertOptions): Promise<Row> {
  if (options.on !== undefined && options.on !== 'id') {
    throw new ValidationError(`An upsert of ${model.name} was refused`, [
      { path: 'on', reason: "must be 'id' for documents" },
    ])
  }
  const id = isPlainObject(input) ? input['id'] : undefined
  if (id === undefined) return create(session, model, input)
  acceptRecord(model, input, session.clock) // What is refused is refused before anything is read.
  for (;;) {
    const changed = await updateById(session, model, id, options.update ?? withoutId(input as Row), {
      replace: options.update === undefined,
    })
    if (changed !== null) return changed
    try {
      return await session.transaction((inner) => create(inner, model, input))
    } catch (error) {
      // Databases name one of the values that collide; whether the id is among them is seen by looking.
      if (!(error instanceof ConflictError) || (await findById(session, model, id)) === null) throw error
    }
  }
}

function withoutId({ id: _, ...content }: Row): Row {
  return content
}

/**
 * Stores a record whether it is new or not. One that carries a version must still have it.
 *
 * @throws ConflictError when somebody else changed it since it was read.
 */
export async function save(session: Session, model: Model, record: unknown): Promise<Row> {
  if (!model.versioned || !isPlainObject(record) || record['version'] === undefined)
    return upsert(session, model, record)
  const { version, ...rest } = record
  if (model.kind === 'documents') {
    const { id, createdAt: _, updatedAt: __, ...content } = rest
    const saved = await updateById(session, model, id, content, { ifVersion: version, replace: true })
    return saved ?? getById(session, model, id)
  }
  const key =
    model.primaryKey.length === 1
      ? rest[model.primaryKey[0] as string]
      : Object.fromEntries(model.primaryKey.map((name) => [name, rest[name]]))
  const saved = await updateById(session, model, key, rest, { ifVersion: version })
  return saved ?? getById(session, model, key)
}
