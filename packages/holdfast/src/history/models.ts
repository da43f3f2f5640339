import { ConfigurationError } from '../base/errors.ts'
import {
  type FieldPath,
  type Model,
  type ModelColumn,
  type ModelIndex,
  resolveModel,
  resolveOwnModel,
  t,
  table,
} from '../schema/index.ts'
import { byteLength, constraintName, MAX_NAME_BYTES } from '../schema/names.ts'

/**
 * What the history of a record says besides the record itself.
 *
 * A transaction inserts its versions with what it knows: the first block. Settling adds the rest once they are committed: which version
 * of its record each is, where it stands in the order of changes, and when the next one took its place.
 */
const own = resolveModel(
  'history',
  table({
    /** Counts up as versions are inserted, which is after the record was written and so in the order of its versions. */
    historyId: t.integer().primaryKey().generated(),
    historyKey: t.text(),
    /**
     * `create`, `update` or `delete`; `write` where only settling can tell whether the record was there before. A text, so that Postgres does not
     * check it with every version, which takes it longer than to write one.
     */
    historyOperation: t.text(),
    historyActor: t.text().nullable(),
    historyTransaction: t.text(),
    historyFrom: t.timestamp(),

    historyVersion: t.integer().nullable(),
    historySequence: t.integer().nullable(),
    /** Null for the last version; that of a deleted record stays open and stands for its absence. */
    historyTo: t.timestamp().nullable(),
  }),
)

/** How far each model's changes are settled. Who settles holds the row. */
export const historyHeads: Model = resolveOwnModel(
  'holdfastHistoryHeads',
  table({
    model: t.text().primaryKey(),
    /** The place of the last change that is settled. */
    sequence: t.integer(),
    /** The place up to which changes may have been removed. */
    pruned: t.integer(),
    /** The time before which versions may have been removed. */
    prunedBefore: t.timestamp().nullable(),
  }),
)

/** The history of one model. */
export interface History {
  /** Whose history it is. */
  readonly model: Model
  /** Its table: the record's columns, which may be null there, and those above. */
  readonly versions: Model
  /** The same table as a query sees it: with the names, key and columns of the model. */
  readonly asModel: Model
  /** What is told when it changed. */
  readonly topic: string
}

/**
 * The history of a model.
 *
 * @throws ConfigurationError where its names are taken or too long.
 */
export function historyOf(model: Model, models: ReadonlyMap<string, Model>): History {
  const name = `${model.name}History`
  const tableName = `${model.table}_history`
  assertFree(model, name, tableName, models)
  const columns = [...own.columns, ...model.columns.map(kept)]
  const versions: Model = {
    name,
    table: tableName,
    kind: 'table',
    columns,
    byName: new Map(columns.map((column) => [column.name, column])),
    primaryKey: own.primaryKey,
    indexes: indexesOf(model, tableName),
    foreignKeys: [],
    checks: [],
    versioned: false,
    relations: new Map(),
  }
  const asModel: Model = { ...model, name, table: tableName, relations: new Map() }
  return { model, versions, asModel, topic: `history ${model.table}` }
}

/** The columns by which the last version of a record is found: those of its key where that is one, else the key as text. */
function lastBy({ primaryKey }: Model): string[] {
  return [...(primaryKey.length === 1 ? primaryKey : ['historyKey']), 'historyTo']
}

/** A column of the record: what it must be was checked when the record was written, and may be something else today. */
function kept({ default: _, values: __, schema: ___, ...column }: ModelColumn): ModelColumn {
  return { ...column, type: column.type === 'enum' ? 'text' : column.type, nullable: true, generated: false }
}

/** The indexes of the model, so that its queries are as good in the past, and those that history itself needs. */
function indexesOf(model: Model, tableName: string): ModelIndex[] {
  const key = model.primaryKey.map((column): FieldPath => ({ column, path: [] }))
  // The key stands behind, as databases have it behind every index of the model: it breaks ties in every order.
  const ofModel = model.indexes.map(({ fields }) => [
    ...fields,
    ...key.filter(({ column }) => !fields.some((field) => field.column === column && field.path.length === 0)),
  ])
  const ofHistory = [
    ['historyKey', 'historyVersion'],
    lastBy(model),
    [...model.primaryKey, 'historyTo'],
    ['historySequence', 'historyId'],
    // Removing versions by their age is worth an index where it is done all the time.
    ...(model.history?.keepMs == null ? [] : [['historyTo', 'historyId']]),
  ].map((names) => names.map((column) => ({ column, path: [] as string[] })))
  const indexes = new Map<string, ModelIndex>()
  for (const fields of [...ofHistory, ...ofModel]) {
    const parts = fields.map(({ column, path }) => [column, ...path].join('_'))
    const name = constraintName(tableName, parts, 'index')
    indexes.set(name, { name, fields, unique: false })
  }
  return [...indexes.values()]
}

function assertFree(model: Model, name: string, tableName: string, models: ReadonlyMap<string, Model>): void {
  const hint = 'Choose another name, or leave `history` and `watch` out.'
  const other = [...models.values()].find(
    (one) => one.name === name || one.table.toLowerCase() === tableName.toLowerCase(),
  )
  if (other !== undefined)
    throw new ConfigurationError(`${other.name} has the name of the history of ${model.name}.`, { hint })
  if (byteLength(tableName) > MAX_NAME_BYTES)
    throw new ConfigurationError(
      `The history of ${model.name} would have a name of more than ${MAX_NAME_BYTES} bytes.`,
      { hint },
    )
  const taken = own.columns.find((column) =>
    model.columns.some((of) => of.name === column.name || of.column.toLowerCase() === column.column),
  )
  if (taken !== undefined)
    throw new ConfigurationError(`${model.name}.${taken.name} has the name of a column of its history.`, { hint })
}

/** The columns that settling writes. */
export const OWN_COLUMNS: readonly string[] = own.columns.map(({ name }) => name)

/** A record's key as text: what its versions have in common. */
export function keyText(values: readonly unknown[]): string {
  const texts = values.map((value) =>
    value instanceof Date
      ? value.toISOString()
      : value instanceof Uint8Array
        ? Buffer.from(value).toString('hex')
        : String(value),
  )
  return texts.length === 1 ? (texts[0] as string) : JSON.stringify(texts)
}
