import type { Row, Session } from '../backend/index.ts'
import { ValidationError } from '../base/errors.ts'
import { type History, readHead, recordOf, settle } from '../history/index.ts'
import type { Model } from '../schema/index.ts'
import { all, ascending, compare, modelScope, oneOf, outputs, readWhere, Shape } from '../statement/index.ts'

/** One committed change of one record. */
export interface Change<Record = unknown, Key = unknown> {
  readonly operation: 'create' | 'update' | 'delete'
  /** The record's key. */
  readonly id: Key
  /** What the record was before; null where it was not there, or where that is no longer kept. */
  readonly before: Record | null
  /** What it is since; null where it was deleted. */
  readonly after: Record | null
  /** On whose behalf, by `storage.as(actor)`. */
  readonly actor: string | null
  /** The same for everything that one transaction changed. */
  readonly transaction: string
  readonly at: Date
  /** The place of this change: give it as `after` to go on behind it. */
  readonly cursor: string
}

/** A part of the feed. */
export interface FeedPart {
  readonly changes: readonly Change[]
  /** Where the next part begins. */
  readonly cursor: number
  /** Whether there may be more by now. */
  readonly full: boolean
}

/**
 * Reads changes on from a place.
 *
 * @param where which records are meant: those that match before or after the change.
 * @throws ValidationError where changes behind the place were removed.
 */
export async function readFeed(
  session: Session,
  history: History,
  where: unknown,
  after: number,
  limit: number,
): Promise<FeedPart> {
  await settle(session, history)
  const rows = await readRows(session, history, after, limit)
  // Asked afterwards, so that nothing that was removed meanwhile is missed.
  const { pruned } = await readHead(session, history.model.name)
  if (after < pruned) throw tooOld(history.model)
  const before = await readBefore(session, history, rows)
  const wanted =
    where === undefined ? undefined : await readMatching(session, history, where, [...rows, ...before.values()])
  const changes = rows
    .map((row) => ({ row, previous: before.get(versionName(row, -1)) }))
    .filter(
      ({ row, previous }) =>
        wanted === undefined || wanted.has(row['historyId']) || wanted.has(previous?.['historyId']),
    )
    .map(({ row, previous }) => changeOf(history, row, previous))
  return {
    changes,
    cursor: (rows.at(-1)?.['historySequence'] as number | undefined) ?? after,
    full: rows.length === limit,
  }
}

function changeOf(history: History, row: Row, previous: Row | undefined): Change {
  const operation = row['historyOperation'] as Change['operation']
  const record = recordOf(history, row)
  const before =
    previous === undefined || previous['historyOperation'] === 'delete' ? null : recordOf(history, previous)
  return {
    operation,
    id: keyOf(history.model, row),
    before: operation === 'delete' ? record : before,
    after: operation === 'delete' ? null : record,
    actor: row['historyActor'] as string | null,
    transaction: row['historyTransaction'] as string,
    at: row['historyFrom'] as Date,
    cursor: String(row['historySequence']),
  }
}

function keyOf({ primaryKey }: Model, row: Row): unknown {
  const [only, ...more] = primaryKey
  return more.length === 0 ? row[only as string] : Object.fromEntries(primaryKey.map((name) => [name, row[name]]))
}

async function readRows(session: Session, { versions }: History, after: number, limit: number): Promise<Row[]> {
  const plan = session.plan(`${versions.name} feed`, () => ({
    kind: 'select',
    model: versions.name,
    joins: [],
    outputs: outputs(versions.columns.map(({ name }) => name)),
    where: compare('historySequence', 'gt', 0),
    orderBy: ascending('historySequence'),
    limit: 1,
  }))
  return (await session.execute(plan, [after, limit])).rows
}

/** The versions before those in the rows, by record and version. */
async function readBefore(session: Session, { versions }: History, rows: readonly Row[]): Promise<Map<string, Row>> {
  const changed = rows.filter((row) => (row['historyVersion'] as number) > 1)
  if (changed.length === 0) return new Map()
  const plan = session.plan(`${versions.name} before`, () => ({
    kind: 'select',
    model: versions.name,
    joins: [],
    outputs: outputs(versions.columns.map(({ name }) => name)),
    where: all(oneOf('historyKey', 0), oneOf('historyVersion', 1)),
    orderBy: [],
  }))
  const keys = [...new Set(changed.map((row) => row['historyKey']))]
  const numbers = [...new Set(changed.map((row) => (row['historyVersion'] as number) - 1))]
  const { rows: found } = await session.execute(plan, [keys, numbers])
  return new Map(found.map((row) => [versionName(row, 0), row]))
}

function versionName(row: Row, offset: number): string {
  return `${(row['historyVersion'] as number) + offset} ${row['historyKey']}`
}

/** The ids of the versions, among these, that match a condition. */
async function readMatching(
  session: Session,
  { versions, asModel }: History,
  where: unknown,
  rows: readonly Row[],
): Promise<Set<unknown>> {
  const shape = new Shape(`${versions.name} matching`)
  const ids = shape.add(rows.map((row) => row['historyId']))
  const condition = readWhere(where, modelScope(asModel), shape)
  shape.assertValid(`Watching ${asModel.name} was refused`)
  if (rows.length === 0) return new Set()
  const plan = session.plan(shape.key, () => ({
    kind: 'select',
    model: versions.name,
    joins: [],
    outputs: outputs(['historyId']),
    where: condition === undefined ? oneOf('historyId', ids) : all(oneOf('historyId', ids), condition),
    orderBy: [],
  }))
  return new Set((await session.execute(plan, shape.parameters)).rows.map((row) => row['historyId']))
}

function tooOld(model: Model): ValidationError {
  const reason = 'is behind what is kept: changes after it were removed. Read the records anew, and watch from there'
  return new ValidationError(`Watching ${model.name} was refused`, [{ path: 'after', reason }])
}
