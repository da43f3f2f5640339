import type { Row, Session } from '../backend/index.ts'
import { assertOptions, type Model } from '../schema/index.ts'
import { type Assignment, isPlainObject, proposed, Shape } from '../statement/index.ts'
import { generatedColumn, insertColumns } from './inserting.ts'
import { readBookkeeping, readPatch } from './patch.ts'
import { getById } from './reading.ts'
import { acceptRecord } from './record.ts'
import { updateById } from './updating.ts'
import { upsertDocument } from './upsert-document.ts'
import { readTarget } from './upsert-target.ts'

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
  for (const name of target) shape.name(name)
  shape.mark(options.update === undefined ? 'proposed' : 'update')
  const changes =
    options.update === undefined
      ? proposedAssignments(session, model, input as Row, target, shape)
      : readPatch(model, options.update, session.clock, shape, 'update')
  const omitted = values.length < model.columns.length ? generatedColumn(model) : undefined
  if (omitted !== undefined) shape.mark('generated')
  shape.assertValid(`An upsert of ${model.name} was refused`)
  // An update of nothing would give no row back; writing what is equal over itself does.
  const set = changes.length > 0 ? changes : target.slice(0, 1).map(proposed)
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
  for (const { name } of given) shape.name(name)
  return [...given.map(({ name }) => proposed(name)), ...readBookkeeping(model, session.clock, shape)]
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
