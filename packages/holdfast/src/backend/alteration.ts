import type { ForeignKey, Model, ModelCheck, ModelColumn, ModelIndex } from '../schema/index.ts'
import type { AlterTable } from './port.ts'

/** Two things that are the same but perhaps for their names. */
export interface Kept<Thing> {
  readonly from: Thing
  readonly to: Thing
}

/** What becomes of the indexes or the constraints of a table. */
export interface Parts<Thing> {
  readonly dropped: readonly Thing[]
  readonly added: readonly Thing[]
  /** Those that stay; their names may differ. */
  readonly kept: readonly Kept<Thing>[]
}

/** What differs between the two models of an `AlterTable`. */
export interface Alteration {
  readonly from: Model
  readonly to: Model
  readonly fill: ReadonlyMap<string, unknown>
  readonly columns: Parts<ModelColumn>
  readonly indexes: Parts<ModelIndex>
  readonly foreignKeys: Parts<ForeignKey>
  readonly checks: Parts<ModelCheck>
  /** Whether the primary key has other columns, or begins or ceases to be generated. */
  readonly keyChanges: boolean
}

/** Works out what an `AlterTable` asks for. */
export function alterationOf({ from, to, renamed = new Map(), fill = new Map() }: AlterTable): Alteration {
  const newNames = new Map([...renamed].map(([name, before]) => [before, name]))
  const now = (name: string): string => newNames.get(name) ?? name
  const columns = partsOf(from.columns, to.columns, ({ name }, here) => (here === from ? now(name) : name), from, to)
  const nameIn = (here: Model) => (name: string) => (here === from ? now(name) : name)
  return {
    from,
    to,
    fill,
    columns,
    indexes: partsOf(from.indexes, to.indexes, (index, here) => indexContent(index, here, nameIn(here)), from, to),
    foreignKeys: partsOf(
      from.foreignKeys,
      to.foreignKeys,
      ({ column, model, onDelete, onUpdate }, here) =>
        contentOf([nameIn(here)(column), typeOf(here, column), model, onDelete, onUpdate]),
      from,
      to,
    ),
    checks: partsOf(from.checks, to.checks, (check, here) => checkContent(check, here, nameIn(here)), from, to),
    keyChanges: keyContent(from, now) !== keyContent(to, (name) => name),
  }
}

function partsOf<Thing>(
  before: readonly Thing[],
  after: readonly Thing[],
  content: (thing: Thing, here: Model) => string,
  from: Model,
  to: Model,
): Parts<Thing> {
  const left = new Map(before.map((thing) => [content(thing, from), thing]))
  const kept: Kept<Thing>[] = []
  const added: Thing[] = []
  for (const thing of after) {
    const key = content(thing, to)
    const known = left.get(key)
    if (known === undefined) added.push(thing)
    else kept.push({ from: known, to: thing })
    left.delete(key)
  }
  return { dropped: [...left.values()], added, kept }
}

/** An index is written differently where its columns have other types or begin to allow null. */
function indexContent(
  { fields, unique, sparse = [] }: ModelIndex,
  model: Model,
  now: (name: string) => string,
): string {
  return contentOf([
    unique,
    sparse.map(now),
    fields.map(({ column, path }) => [now(column), path, typeOf(model, column), model.byName.get(column)?.nullable]),
  ])
}

function checkContent({ where, nullPasses, fields }: ModelCheck, model: Model, now: (name: string) => string): string {
  const types = fields.map((field) => typeOf(model, field.split('.')[0] as string))
  return contentOf([renameInWhere(where, now), nullPasses === undefined ? null : now(nullPasses), types])
}

function keyContent({ primaryKey, byName }: Model, now: (name: string) => string): string {
  return contentOf(primaryKey.map((name) => [now(name), byName.get(name)?.generated]))
}

function typeOf(model: Model, column: string): unknown[] {
  const { type, precision, scale } = model.byName.get(column) ?? {}
  return [type, precision, scale]
}

/** A condition with its fields called otherwise. */
export function renameInWhere(
  where: Readonly<Record<string, unknown>>,
  now: (name: string) => string,
): Record<string, unknown> {
  const renamed = Object.entries(where).map(([name, inner]): [string, unknown] => {
    if (name === 'and' || name === 'or')
      return [name, (inner as Record<string, unknown>[]).map((one) => renameInWhere(one, now))]
    if (name === 'not') return [name, renameInWhere(inner as Record<string, unknown>, now)]
    const [column = '', ...path] = name.split('.')
    return [[now(column), ...path].join('.'), inner]
  })
  return Object.fromEntries(renamed)
}

/** A text that is the same exactly where the content is. */
export function contentOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'bigint') return { bigint: String(inner) }
    return inner instanceof Uint8Array ? { bytes: Buffer.from(inner).toString('hex') } : inner
  })
}
