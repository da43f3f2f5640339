import { copyRow, type Row, type Session } from '../backend/index.ts'
import { type Issue, ValidationError } from '../base/errors.ts'
import { describe, type Model, type Relation, readPath } from '../schema/index.ts'
import { type Condition, isPlainObject, modelScope, readWhere, type Shape } from '../statement/index.ts'
import { type RawQuery, readQuery } from './select.ts'

/** One relation to load: what it is, and the query of the related records. */
export interface Wanted {
  readonly name: string
  readonly relation: Relation
  readonly model: Model
  readonly query: RawQuery
}

const INCLUDE_KEYS = new Set(['where', 'orderBy', 'limit', 'select', 'include'])

/**
 * Reads `include`.
 *
 * @throws ValidationError for a name that is not a relation, or an include that is not a query.
 */
export function readInclude(session: Session, model: Model, include: unknown): readonly Wanted[] {
  if (include === undefined) return []
  if (!isPlainObject(include)) throw refused(model, 'include', `must be an object, got ${describe(include)}`)
  return Object.entries(include).flatMap(([name, value]) => {
    if (value === undefined || value === false) return []
    const relation = model.relations.get(name)
    if (relation === undefined) throw refused(model, `include.${name}`, `is not a relation of ${model.name}`)
    const query = value === true ? {} : value
    if (!isPlainObject(query))
      throw refused(model, `include.${name}`, `must be true or a query, got ${describe(value)}`)
    const unknown = Object.keys(query).find((key) => !INCLUDE_KEYS.has(key))
    if (unknown !== undefined) throw refused(model, `include.${name}.${unknown}`, 'is not part of an include')
    return [{ name, relation, model: session.models.get(relation.model) as Model, query }]
  })
}

function refused(model: Model, path: string, reason: string): ValidationError {
  return new ValidationError(`A query of ${model.name} was refused`, [{ path, reason }])
}

/** The fields of the records themselves that the relations need. */
export function localFields(wanted: readonly Wanted[]): string[] {
  return [...new Set(wanted.flatMap(({ relation }) => relation.local))].map(topLevel)
}

/** Loads relations into records: one statement for each relation and level, whatever the number of records. */
export async function loadIncluded(
  session: Session,
  records: readonly Row[],
  wanted: readonly Wanted[],
): Promise<void> {
  if (records.length === 0) return
  // Read before any is loaded: what is loaded may take the place of a field of documents by which another goes.
  const locals = wanted.map(({ relation }) => records.map((record) => valuesAt(record, relation.local)))
  await Promise.all(wanted.map((one, at) => loadRelation(session, records, locals[at] as Local[], one)))
}

async function loadRelation(
  session: Session,
  records: readonly Row[],
  locals: readonly Local[],
  wanted: Wanted,
): Promise<void> {
  const { name, relation, model, query } = wanted
  const parents = new Map<string, unknown[]>()
  for (const values of locals)
    if (values !== null && mayHold(model, relation.foreign, values)) parents.set(identityOfAll(values), values)
  const inner = readInclude(session, model, query.include)
  const { limit, include: _, ...rest } = query
  const finding = readQuery(model, rest, {
    fields: [...relation.foreign.map(topLevel), ...localFields(inner)],
    condition: (shape) => belongsTo([...parents.values()], relation, model, shape),
    ...(limit !== undefined && { limitPer: { fields: relation.foreign, limit: limitOf(model, name, limit) } }),
  })
  const plan = session.plan(finding.key, () => finding.statement)
  const rows = parents.size === 0 ? [] : (await session.execute(plan, finding.parameters)).rows
  const related = rows.map(finding.toRecord)
  const groups = Map.groupBy(related, (record) => identityOfAll(valuesAt(record, relation.foreign) ?? []))
  await loadIncluded(session, related, inner)
  const visible = visibleOf(query.select, inner)
  const given = givenOnce(visible)
  for (const [at, record] of records.entries()) {
    const values = locals[at] as Local
    const group = (values === null ? undefined : groups.get(identityOfAll(values))) ?? []
    record[name] = relation.kind === 'many' ? group.map(given) : group[0] === undefined ? null : given(group[0])
  }
}

/** Gives a related record as the user asked for it, and a copy to every further one that it is related to. */
function givenOnce(visible: (record: Row) => Row): (record: Row) => Row {
  const given = new Set<Row>()
  return (record) => {
    if (given.has(record)) return copyRow(visible(record))
    given.add(record)
    return visible(record)
  }
}

/**
 * For keys of several fields each field is asked for on its own, which finds a few records too many; they belong to no
 * parent and drop out when records are put together.
 */
function belongsTo(
  parents: readonly (readonly unknown[])[],
  { foreign }: Relation,
  model: Model,
  shape: Shape,
): Condition {
  const lists = foreign.map((field, index) => [field, { in: parents.map((values) => values[index]) }])
  return readWhere(Object.fromEntries(lists), modelScope(model), shape) as Condition
}

function limitOf(model: Model, name: string, limit: unknown): number {
  if (Number.isSafeInteger(limit) && (limit as number) >= 0) return limit as number
  throw refused(model, `include.${name}.limit`, `must be a whole number from 0 on, got ${describe(limit)}`)
}

/** A record as the user asked for it: without the keys that were read only to put records together. */
export function visibleOf(select: unknown, inner: readonly Wanted[]): (record: Row) => Row {
  if (!Array.isArray(select)) return (record) => ({ ...record })
  const names = [...select, ...inner.map(({ name }) => name)]
  return (record) => Object.fromEntries(names.filter((name) => name in record).map((name) => [name, record[name]]))
}

/** The values that relate a record; null for one that is related to nothing. */
type Local = unknown[] | null

/** The values of the fields that relate a record; null where one of them is null or missing. */
function valuesAt(record: Row, fields: readonly string[]): Local {
  const values = fields.map((field) => readPath(record, field.split('.')))
  return values.includes(null) ? null : values
}

/** Whether there may be records with these values: what stands at a path into JSON may be of any type. */
function mayHold(model: Model, fields: readonly string[], values: readonly unknown[]): boolean {
  const issues: Issue[] = []
  for (const [at, field] of fields.entries()) model.byName.get(field)?.accept(values[at], field, issues)
  return issues.length === 0
}

function topLevel(field: string): string {
  return field.split('.')[0] as string
}

/** A text that is equal exactly when all values are. */
export function identityOfAll(values: readonly unknown[]): string {
  return values.map(identityOf).join('\0')
}

/** A text that is equal exactly when the values are. */
export function identityOf(value: unknown): string {
  return `${typeof value} ${value instanceof Date ? value.getTime() : value}`
}
