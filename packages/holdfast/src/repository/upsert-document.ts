import type { Row, Session } from '../backend/index.ts'
import { ConflictError } from '../base/errors.ts'
import { describe, type Model, readPath } from '../schema/index.ts'
import { Shape } from '../statement/index.ts'
import { create, insertUnlessTaken } from './inserting.ts'
import { acceptPatch } from './patch.ts'
import { find, findById } from './reading.ts'
import { acceptRecord } from './record.ts'
import { updateById } from './updating.ts'
import { readTarget } from './upsert-target.ts'

/**
 * Inserts a document, or changes the one that collides with it.
 *
 * Documents are checked as a whole, so they are read before they are changed; a lost race is tried again. Each means that somebody else's
 * write went through, so this ends.
 */
export async function upsertDocument(
  session: Session,
  model: Model,
  input: unknown,
  options: { readonly on?: unknown; readonly update?: unknown },
): Promise<Row> {
  // What is refused is refused before anything is read.
  const { record, values } = acceptRecord(model, input, session.clock)
  const patch = options.update === undefined ? undefined : acceptPatch(model, options.update, 'update')
  const { id, ...content } = input as Row
  const shape = new Shape('')
  const target = readTarget(model, options.on, shape)
  const replace = patch === undefined
  const change = patch ?? content
  const byId = target[0] === 'id'
  const where = byId ? undefined : sameValues(target, record, shape)
  shape.assertValid(`An upsert of ${model.name} was refused`)
  if (byId ? id === undefined : where === undefined) return create(session, model, input)
  const colliding = async (): Promise<Row | null> =>
    byId ? findById(session, model, id) : ((await find(session, model, { where, limit: 1 }))[0] ?? null)
  for (;;) {
    const changed = byId
      ? await updateById(session, model, id, change, { replace })
      : await changeFound(session, model, colliding, change, replace)
    if (changed !== null) return changed
    if (await insertUnlessTaken(session, model, values)) return record
    // Taken by what is looked for, or else an insert says by what.
    if ((await colliding()) === null) return create(session, model, input)
  }
}

/** The condition for a document with the same values; undefined where one of them is missing, which collides with nothing. */
function sameValues(target: readonly string[], record: Row, shape: Shape): Record<string, unknown> | undefined {
  const where: Record<string, unknown> = {}
  for (const name of target) {
    const value = readPath(record, name.split('.'))
    if (value === null) return undefined
    if (typeof value === 'object' && !(value instanceof Date))
      shape.refuse('on', `must lead to text, a number, true or false, got ${describe(value)} at ${name}`)
    where[name] = { eq: value }
  }
  return where
}

/** Changes the document that is found, as it was read: it may collide no longer when somebody else has changed it. */
async function changeFound(
  session: Session,
  model: Model,
  find: () => Promise<Row | null>,
  change: unknown,
  replace: boolean,
): Promise<Row | null> {
  for (;;) {
    const found = await find()
    if (found === null) return null
    try {
      const changed = await updateById(session, model, found['id'], change, { replace, ifVersion: found['version'] })
      if (changed !== null) return changed
    } catch (error) {
      if (!(error instanceof ConflictError && error.code === 'CONFLICT_VERSION')) throw error
    }
  }
}
