import type { Plan, Row, Session } from '../backend/index.ts'
import { ConflictError, type Issue, ValidationError } from '../base/errors.ts'
import { describe, type Model, type ModelColumn } from '../schema/index.ts'
import { type Assignment, isPlainObject, Shape } from '../statement/index.ts'
import { columnField, readBookkeeping, readPatch } from './patch.ts'
import { getById } from './reading.ts'
import { acceptRecord, acceptRecordAt, recordOf } from './record.ts'
import { updateById } from './updating.ts'

/** Where a model's generated key stands among its columns; -1 where it has none. */
function generatedAt(model: Model): number {
  return model.columns.findIndex((column) => column.generated)
}

/** Inserts one record and gives it back as stored. */
export async function create(session: Session, model: Model, input: unknown): Promise<Row> {
  const values = acceptRecord(model, input, session.clock)
  const generated = generatedAt(model)
  if (generated === -1 || values[generated] !== undefined) {
    await session.execute(insertPlan(session, model, -1), values)
    return recordOf(model, values)
  }
  const { rows } = await session.execute(insertPlan(session, model, generated), values.toSpliced(generated, 1))
  return recordOf(model, values.with(generated, firstValue(rows[0] as Row)))
}

function firstValue(row: Row): unknown {
  for (const name in row) return row[name]
  return undefined
}

/** Inserts many records, all or none. */
export async function createMany(session: Session, model: Model, inputs: unknown): Promise<Row[]> {
  const rows = acceptRecords(session, model, inputs)
  if (rows.length === 0) return []
  const generated = generatedAt(model)
  if (generated === -1 || rows.every((values) => values[generated] !== undefined)) {
    await session.execute(insertPlan(session, model, -1), rows.flat())
    return rows.map((values) => recordOf(model, values))
  }
  if (rows.some((values) => values[generated] !== undefined)) {
    const reason = `must be given for all records or for none, so that keys that are given and counted cannot collide`
    throw new ValidationError(`Records of ${model.name} were refused`, [
      { path: (model.columns[generated] as ModelColumn).name, reason },
    ])
  }
  const parameters = rows.flatMap((values) => values.toSpliced(generated, 1))
  const inserted = await session.execute(insertPlan(session, model, generated), parameters)
  return rows.map((values, index) => recordOf(model, values.with(generated, firstValue(inserted.rows[index] as Row))))
}

function acceptRecords(session: Session, model: Model, inputs: unknown): unknown[][] {
  const subject = `Records of ${model.name} were refused`
  if (!Array.isArray(inputs))
    throw new ValidationError(subject, [{ path: '', reason: `must be a list, got ${describe(inputs)}` }])
  const issues: Issue[] = []
  const rows = inputs.map((input, index) => {
    const before = issues.length
    const values = acceptRecordAt(model, input, session.clock, '', issues)
    for (let at = before; at < issues.length; at++) issues[at] = indexed(issues[at] as Issue, index)
    return values
  })
  if (issues.length > 0) throw new ValidationError(subject, issues.slice(0, 20))
  return rows
}

function indexed({ path, reason }: Issue, index: number): Issue {
  return { path: path === '' ? String(index) : `${index}.${path}`, reason }
}

/** The plan that inserts whole records; `without` is the column that the database generates, or -1. */
function insertPlan(session: Session, model: Model, without: number): Plan {
  return session.plan(insertKey(model, without), () => ({
    kind: 'insert',
    model: model.name,
    columns: model.columns
      .filter((_, index) => index !== without)
      .map(({ name }) => ({ column: name, value: 'given' as const })),
    leading: 0,
    returning: without === -1 ? [] : [(model.columns[without] as ModelColumn).name],
  }))
}

const insertKeys = new WeakMap<Model, readonly [string, string]>()

function insertKey(model: Model, without: number): string {
  let keys = insertKeys.get(model)
  if (keys === undefined) {
    keys = [`${model.name} create`, `${model.name} create generated`]
    insertKeys.set(model, keys)
  }
  return without === -1 ? keys[0] : keys[1]
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
  if (model.kind === 'documents') return upsertDocument(session, model, input, options)
  const values = acceptRecord(model, input, session.clock)
  const shape = new Shape(`${model.name} upsert`)
  const target = readTarget(model, options.on, shape)
  for (const name of target) shape.mark(name)
  shape.mark('set')
  const set =
    options.update === undefined
      ? proposedAssignments(session, model, input as Row, target, shape)
      : readPatch(model, options.update, new Date(session.clock.now()), shape, 'update')
  const generated = generatedAt(model)
  const omitted = generated !== -1 && values[generated] === undefined ? generated : -1
  shape.mark(String(omitted))
  shape.assertValid(`An upsert of ${model.name} was refused`)
  const plan = session.plan(shape.key, () => ({
    kind: 'insert',
    model: model.name,
    columns: model.columns
      .filter((_, index) => index !== omitted)
      .map(({ name }) => ({ column: name, value: 'given' as const })),
    leading: shape.parameters.length,
    onConflict: { columns: target, set },
    returning: model.columns.map(({ name }) => name),
  }))
  const row = omitted === -1 ? values : values.toSpliced(omitted, 1)
  const { rows } = await session.execute(plan, [...shape.parameters, ...row])
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
  const proposed = names.map((name): Assignment => ({ field: columnField(name), operation: 'proposed' }))
  return [...proposed, ...readBookkeeping(model, new Date(session.clock.now()), shape)]
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
  for (;;) {
    const changed = await updateById(session, model, id, options.update ?? withoutId(input as Row), {
      replace: options.update === undefined,
    })
    if (changed !== null) return changed
    try {
      return await session.transaction((inner) => create(inner, model, input))
    } catch (error) {
      if (!(error instanceof ConflictError) || !error.fields.includes('id')) throw error
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
