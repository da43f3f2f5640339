import type { Row, Session } from '../backend/index.ts'
import { NotFoundError, ValidationError } from '../base/errors.ts'
import { acceptKey, fromRow } from '../repository/index.ts'
import { describe } from '../schema/index.ts'
import { add, all, ascending, equals, outputs, proposed } from '../statement/index.ts'
import { type History, keyText } from './models.ts'
import { settle } from './settling.ts'

/** One version of a record. */
export interface Version<Record = unknown> {
  /** Counts the versions of the record from 1 on. */
  readonly version: number
  /** What made it; for `delete` the record is what it was last. */
  readonly operation: 'create' | 'update' | 'delete'
  /** On whose behalf, by `storage.as(actor)`; null where nobody was named. */
  readonly actor: string | null
  /** The same for all that one transaction changed, in all models. */
  readonly transaction: string
  readonly validFrom: Date
  /** When the next version took its place; null for the last one. */
  readonly validTo: Date | null
  readonly record: Record
}

/** The versions of one record, the first one first. */
export async function readVersions(session: Session, history: History, id: unknown): Promise<Version[]> {
  const key = keyText(acceptKey(history.model, id))
  await settle(session, history)
  const { versions } = history
  const plan = session.plan(`${versions.name} of one`, () => ({
    kind: 'select',
    model: versions.name,
    joins: [],
    outputs: outputs(versions.columns.map(({ name }) => name)),
    where: equals('historyKey', 0),
    orderBy: ascending('historyVersion'),
  }))
  const { rows } = await session.execute(plan, [key])
  // What was committed since is not settled yet.
  return rows.filter((row) => row['historyVersion'] !== null).map((row) => versionOf(history, row))
}

/** What a row says, as people see it. */
function versionOf({ model }: History, row: Row): Version {
  return {
    version: row['historyVersion'] as number,
    operation: row['historyOperation'] as Version['operation'],
    actor: row['historyActor'] as string | null,
    transaction: row['historyTransaction'] as string,
    validFrom: row['historyFrom'] as Date,
    validTo: row['historyTo'] as Date | null,
    record: recordOf({ model }, row),
  }
}

/** The record in a row. */
export function recordOf({ model }: Pick<History, 'model'>, row: Row): Row {
  return fromRow(model, Object.fromEntries(model.columns.map(({ name }) => [name, row[name]])))
}

/**
 * Makes a record what it was in a version, as a new version.
 *
 * @param session records what is written through it.
 * @throws NotFoundError where there is no such version; ValidationError where that version is the record's end.
 */
export function revert(session: Session, history: History, id: unknown, version: unknown): Promise<Row> {
  const { model } = history
  const key = acceptKey(model, id)
  if (!Number.isSafeInteger(version)) {
    throw new ValidationError(`The version of ${model.name} was refused`, [
      { path: 'version', reason: `must be a whole number, got ${describe(version)}` },
    ])
  }
  return session.transaction(async (tx) => {
    const wanted = await readVersion(tx, history, keyText(key), version as number)
    if (wanted === undefined) throw new NotFoundError(`version ${version} of ${model.name}`, id)
    if (wanted['historyOperation'] === 'delete') {
      throw new ValidationError(`The version of ${model.name} was refused`, [
        {
          path: 'version',
          reason: `is where the record was deleted; revert to ${(version as number) - 1} to bring it back`,
        },
      ])
    }
    return fromRow(model, await writeBack(tx, history, wanted))
  })
}

async function readVersion(session: Session, history: History, key: string, version: number): Promise<Row | undefined> {
  await settle(session, history)
  const { versions } = history
  const plan = session.plan(`${versions.name} one`, () => ({
    kind: 'select',
    model: versions.name,
    joins: [],
    outputs: outputs(versions.columns.map(({ name }) => name)),
    where: all(equals('historyKey', 0), equals('historyVersion', 1)),
    orderBy: [],
  }))
  return (await session.execute(plan, [key, version])).rows[0]
}

/** Its version and the time of its last write go on, all else is as it was. */
async function writeBack(session: Session, { model }: History, wanted: Row): Promise<Row> {
  const row: Row = Object.fromEntries(model.columns.map(({ name }) => [name, wanted[name]]))
  if (model.kind === 'documents') row['updatedAt'] = new Date(session.clock.now())
  if (model.versioned) row['version'] = (row['version'] as number) + 1
  const names = model.columns.map(({ name }) => name)
  const changed = names.filter((name) => !model.primaryKey.includes(name) && !(model.versioned && name === 'version'))
  const plan = session.plan(`${model.name} revert`, () => ({
    kind: 'insert',
    model: model.name,
    columns: names.map((column) => ({ column, value: 'given' })),
    leading: model.versioned ? 1 : 0,
    onConflict: {
      columns: model.primaryKey,
      set: [
        ...(changed.length > 0 ? changed : model.primaryKey.slice(0, 1)).map(proposed),
        ...(model.versioned ? [add('version', 0)] : []),
      ],
    },
    returning: names,
  }))
  const values = names.map((name) => row[name])
  return (await session.execute(plan, model.versioned ? [1, ...values] : values)).rows[0] as Row
}
