import { type Row, type Session, together } from '../backend/index.ts'
import type { Clock } from '../base/clock.ts'
import { ConflictError, NotFoundError, ValidationError } from '../base/errors.ts'
import { assertOptions, DOCUMENT_COLUMN, describe, type Model, type ModelIndex } from '../schema/index.ts'
import {
  type Assignment,
  all,
  ascending,
  type Condition,
  equals,
  isPlainObject,
  modelScope,
  outputs,
  proposed,
  readWhere,
  Shape,
  set,
} from '../statement/index.ts'
import { Increment } from './expressions.ts'
import { acceptPatch, applyPatch, readBookkeeping, readPatch } from './patch.ts'
import { countWhere, findById, firstRecord, keyCondition } from './reading.ts'
import { acceptContent, acceptKey } from './record.ts'

/** How one record is updated. */
export interface UpdateOptions {
  /** Only when the record still has this version. */
  readonly ifVersion?: unknown
}

const NO_OPTIONS: UpdateOptions = {}

/**
 * Changes one record and gives it back.
 *
 * @throws NotFoundError; ConflictError when `ifVersion` is another one by now.
 */
export async function update(
  session: Session,
  model: Model,
  key: unknown,
  patch: unknown,
  options: UpdateOptions = NO_OPTIONS,
): Promise<Row> {
  if (options !== NO_OPTIONS) assertOptions(`An update of ${model.name} was refused`, options, ['ifVersion'])
  const changed = await updateById(session, model, key, patch, options)
  if (changed === null) throw new NotFoundError(model.name, key)
  return changed
}

/** Changes one record; null where there is none. `replace` takes the patch for the whole document. */
export async function updateById(
  session: Session,
  model: Model,
  key: unknown,
  patch: unknown,
  options: UpdateOptions & { readonly replace?: boolean } = {},
): Promise<Row | null> {
  if (options.replace === true || model.schema !== undefined) return updateDocument(session, model, key, patch, options)
  const shape = new Shape(`${model.name} update`)
  const set = readPatch(model, patch, session.clock, shape)
  const row = await writeById(session, model, key, set, shape, options.ifVersion)
  if (row === null && options.ifVersion !== undefined) await assertGone(session, model, key)
  return row
}

function writeById(
  session: Session,
  model: Model,
  key: unknown,
  set: readonly Assignment[],
  shape: Shape,
  ifVersion: unknown,
): Promise<Row | null> {
  const keyValues = acceptKey(model, key)
  const first = shape.parameters.length
  shape.parameters.push(...keyValues)
  const version = readVersion(model, ifVersion, shape)
  shape.assertValid(`A patch of ${model.name} was refused`)
  if (set.length === 0) return findById(session, model, key)
  const plan = session.plan(shape.key, () => ({
    kind: 'update',
    model: model.name,
    set,
    where: recordCondition(model, first, version),
    orderBy: [],
    returning: model.columns.map(({ name }) => name),
  }))
  return firstRecord(model, session.execute(plan, shape.parameters))
}

/** The parameter that holds the version a record must have; undefined where any will do. */
function readVersion(model: Model, ifVersion: unknown, shape: Shape): number | undefined {
  if (ifVersion === undefined) return undefined
  if (!model.versioned) shape.refuse('ifVersion', `needs { versioned: true } on ${model.name}`)
  if (!Number.isSafeInteger(ifVersion))
    shape.refuse('ifVersion', `must be a version number, got ${describe(ifVersion)}`)
  shape.mark('ifVersion')
  return shape.add(ifVersion)
}

function recordCondition(model: Model, first: number, version: number | undefined): Condition {
  const byKey = keyCondition(model, first)
  if (version === undefined) return byKey
  return all(byKey, equals('version', version))
}

/** An update found nothing under `ifVersion`: either the record is gone, or it has another version. */
async function assertGone(session: Session, model: Model, key: unknown): Promise<void> {
  if ((await findById(session, model, key)) !== null)
    throw new ConflictError('CONFLICT_VERSION', model.name, ['version'])
}

/**
 * A document's schema checks it whole: it is read, changed, checked and written back if nobody wrote in between. Each lost
 * race means that somebody else's write went through, so this ends.
 */
async function updateDocument(
  session: Session,
  model: Model,
  key: unknown,
  patch: unknown,
  { ifVersion, replace }: UpdateOptions & { readonly replace?: boolean },
): Promise<Row | null> {
  const accepted = replace === true ? undefined : acceptPatch(model, patch)
  const refused = new Shape('')
  readVersion(model, ifVersion, refused)
  refused.assertValid(`A patch of ${model.name} was refused`)
  for (;;) {
    const current = await findById(session, model, key)
    if (current === null) return null
    if (ifVersion !== undefined && current['version'] !== ifVersion)
      throw new ConflictError('CONFLICT_VERSION', model.name, ['version'])
    const { id: _, version, createdAt: __, updatedAt: ___, ...content } = current
    const changed = accepted === undefined ? patch : applyPatch(content, accepted)
    const shape = new Shape(`${model.name} update document`)
    const set = contentAssignments(model, changed, session.clock, shape)
    const written = await writeById(session, model, key, set, shape, version)
    if (written !== null) return written
  }
}

function contentAssignments(model: Model, content: unknown, clock: Clock, shape: Shape): Assignment[] {
  if (!isPlainObject(content)) {
    throw new ValidationError(`A document of ${model.name} was refused`, [
      { path: '', reason: `must be an object, got ${describe(content)}` },
    ])
  }
  const parameter = shape.add(acceptContent(model, content, '', shape.issues))
  return [set(DOCUMENT_COLUMN, parameter), ...readBookkeeping(model, clock, shape)]
}

/** Changes all records that match, in one statement; gives their number. */
export async function updateMany(session: Session, model: Model, where: unknown, patch: unknown): Promise<number> {
  assertNoUniqueIncrement(model, patch)
  if (model.schema !== undefined) return updateDocuments(session, model, where, patch)
  const shape = new Shape(`${model.name} updateMany`)
  const set = readPatch(model, patch, session.clock, shape)
  shape.mark('where')
  const condition = readRequiredWhere(model, where, shape)
  if (set.length === 0) return countWhere(session, model, where)
  const plan = session.plan(shape.key, () => ({
    kind: 'update',
    model: model.name,
    set,
    orderBy: [],
    returning: [],
    ...(condition !== undefined && { where: condition }),
  }))
  return (await session.execute(plan, shape.parameters)).count
}

/**
 * SQL databases look for collisions row by row, so whether many unique values may move past each other would depend on the order in
 * which rows lie.
 *
 * @throws ValidationError naming the field.
 */
function assertNoUniqueIncrement(model: Model, patch: unknown): void {
  if (!isPlainObject(patch)) return
  const incremented = Object.keys(patch).filter((name) => patch[name] instanceof Increment)
  if (incremented.length === 0) return
  const unique = new Set([...model.primaryKey, ...model.indexes.filter((index) => index.unique).flatMap(fieldNames)])
  const issues = incremented
    .filter((name) => unique.has(name))
    .map((path) => ({ path, reason: 'is unique and cannot be incremented in many records at once' }))
  if (issues.length > 0) throw new ValidationError(`A patch of ${model.name} was refused`, issues)
}

function fieldNames({ fields }: ModelIndex): string[] {
  return fields.map(({ column, path }) => path[0] ?? column)
}

/** @throws ValidationError where the condition is missing: `{}` says that all are meant. */
function readRequiredWhere(model: Model, where: unknown, shape: Shape): Condition | undefined {
  if (where === undefined) shape.refuse('where', 'is required; write {} to mean every record')
  const condition = where === undefined ? undefined : readWhere(where, modelScope(model), shape)
  shape.assertValid(`A write to ${model.name} was refused`)
  return condition
}

/** Documents with a schema are read in batches, checked one by one, and written back a batch at a time, in one transaction. */
async function updateDocuments(session: Session, model: Model, where: unknown, patch: unknown): Promise<number> {
  const accepted = acceptPatch(model, patch)
  return together(session, async (inner) => {
    const shape = new Shape(`${model.name} find for updateMany`)
    const condition = readRequiredWhere(model, where, shape)
    const plan = inner.plan(shape.key, () => ({
      kind: 'select',
      model: model.name,
      joins: [],
      outputs: outputs(model.columns.map(({ name }) => name)),
      orderBy: ascending(...model.primaryKey),
      ...(condition !== undefined && { where: condition }),
      // What others write meanwhile would be overwritten, and what they delete brought back.
      locked: true,
    }))
    const { rows } = await inner.execute(plan, shape.parameters)
    if (rows.length > 0) await writeDocuments(inner, model, rows, accepted)
    return rows.length
  })
}

async function writeDocuments(session: Session, model: Model, rows: readonly Row[], patch: Row): Promise<void> {
  const now = new Date(session.clock.now())
  const shape = new Shape(`${model.name} write documents`)
  const changes = [proposed(DOCUMENT_COLUMN), ...readBookkeeping(model, session.clock, shape)]
  const leading = shape.parameters.length
  for (const row of rows) {
    const changed = applyPatch(row[DOCUMENT_COLUMN] as Row, patch)
    const content = acceptContent(model, changed, String(row['id']), shape.issues)
    shape.parameters.push(row['id'], content, row['version'], row['createdAt'], now)
  }
  shape.assertValid(`A patch of ${model.name} was refused`)
  const plan = session.plan(shape.key, () => ({
    kind: 'insert',
    model: model.name,
    columns: model.columns.map(({ name }) => ({ column: name, value: 'given' as const })),
    leading,
    onConflict: { columns: ['id'], set: changes },
    returning: [],
  }))
  await session.execute(plan, shape.parameters)
}

/** Deletes one record; whether there was one. */
export async function deleteById(session: Session, model: Model, key: unknown): Promise<boolean> {
  const parameters = acceptKey(model, key)
  const plan = session.plan(`${model.name} delete`, () => ({
    kind: 'delete',
    model: model.name,
    where: keyCondition(model, 0),
    orderBy: [],
    returning: [],
  }))
  return (await session.execute(plan, parameters)).count > 0
}

/** Deletes all records that match, in one statement; gives their number. */
export async function deleteMany(session: Session, model: Model, where: unknown): Promise<number> {
  const shape = new Shape(`${model.name} deleteMany`)
  const condition = readRequiredWhere(model, where, shape)
  const plan = session.plan(shape.key, () => ({
    kind: 'delete',
    model: model.name,
    orderBy: [],
    returning: [],
    ...(condition !== undefined && { where: condition }),
  }))
  return (await session.execute(plan, shape.parameters)).count
}
