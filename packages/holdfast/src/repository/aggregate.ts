import type { Row, Session } from '../backend/index.ts'
import { acceptorOf, type ColumnType, describe, type Model } from '../schema/index.ts'
import {
  allOf,
  type Field,
  field,
  isPlainObject,
  type Join,
  keyFields,
  modelScope,
  type Output,
  readOrderBy,
  readWhere,
  type Scope,
  type ScopeField,
  type Select,
  Shape,
} from '../statement/index.ts'
import { Aggregate, DateTrunc } from './expressions.ts'
import type { RawQuery } from './select.ts'

/** A question with named results, as it is read; users get it typed. */
export interface RawAggregate {
  readonly where?: readonly unknown[]
  readonly groupBy?: unknown
  readonly select?: unknown
  readonly having?: unknown
  readonly orderBy?: unknown
  readonly limit?: unknown
  readonly offset?: unknown
}

const AGGREGATE_KEYS = ['where', 'groupBy', 'select', 'having', 'orderBy', 'limit', 'offset']

/**
 * Asks one model for groups and what they add up to.
 *
 * @throws ValidationError
 */
export async function aggregate(session: Session, model: Model, query: RawQuery): Promise<Row[]> {
  const subject = `A query of ${model.name} was refused`
  const shape = new Shape(`${model.name} aggregate`)
  if (!isPlainObject(query)) shape.refuse('', `must be an object such as { select }, got ${describe(query)}`)
  shape.assertValid(subject)
  for (const name of Object.keys(query))
    if (!AGGREGATE_KEYS.includes(name)) shape.refuse(name, 'is not part of an aggregate')
  const { where, ...rest } = query
  const source = { model, joins: [], joined: [], scope: modelScope(model) }
  const select = readAggregate(source, { ...rest, where: where === undefined ? [] : [where] }, shape)
  shape.assertValid(subject)
  const { rows } = await session.execute(
    session.plan(shape.key, () => select),
    shape.parameters,
  )
  return rows
}

/** What a question is asked of: a model, its joins, and the names they give. */
export interface Source {
  readonly model: Model
  readonly joins: readonly Join[]
  /** The models of the joins. */
  readonly joined: readonly Model[]
  readonly scope: Scope
}

const UNITS = new Set(['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'])
const FUNCTIONS = new Set(['count', 'countDistinct', 'sum', 'avg', 'min', 'max'])
const NUMERIC = new Set<ColumnType | 'path'>(['integer', 'real', 'bigint', 'decimal', 'path'])

/** An output and the type of its values, by which `having` is read. */
interface TypedOutput {
  readonly output: Output
  readonly type: ColumnType | 'path'
  readonly accept: ScopeField['accept']
}

/** Reads a question into a select, adding its parameters to the shape. */
export function readAggregate(source: Source, query: RawAggregate, shape: Shape): Select {
  const { scope, model, joins, joined } = source
  const conditions = (query.where ?? [])
    .map((where) => readWhere(where, scope, shape))
    .filter((condition) => condition !== undefined)
  const groups = readOutputs('groupBy', query.groupBy, scope, shape)
  const selected = readOutputs('select', query.select, scope, shape)
  const outputs = [
    ...groups,
    ...selected.filter(({ output }) => !groups.some((group) => group.output.name === output.name)),
  ]
  const grouped = query.groupBy !== undefined || outputs.some(({ output }) => output.kind === 'aggregate')
  if (grouped) assertGrouped(groups, selected, shape)
  if (outputs.length === 0 && shape.issues.length === 0) shape.refuse('select', 'must name at least one result')

  const results = resultScope(scope, outputs)
  shape.mark('having')
  const having =
    query.having === undefined ? undefined : readWhere(query.having, withoutPaths(results), shape, 'having')
  const orderBy = grouped
    ? readOrderBy(
        query.orderBy,
        results,
        shape,
        groups.map(({ output }) => field(output.name, 'output')),
      )
    : readOrderBy(query.orderBy, orderScope(scope, results), shape, tieBreakers(model, joined))
  const limit = shape.addCount('limit', query.limit)
  const offset = shape.addCount('offset', query.offset)
  const where = allOf(conditions)
  return {
    kind: 'select',
    model: model.name,
    joins,
    outputs: outputs.map(({ output }) => output),
    orderBy,
    ...(grouped && { groupBy: groups.map(({ output }) => output.name) }),
    ...(where !== undefined && { where }),
    ...(having !== undefined && { having }),
    ...(limit !== undefined && { limit }),
    ...(offset !== undefined && { offset }),
  }
}

function readOutputs(part: 'groupBy' | 'select', named: unknown = {}, scope: Scope, shape: Shape): TypedOutput[] {
  shape.mark(part)
  const entries = Object.entries(outputsOf(part, named, shape))
  return entries.flatMap(([name, value]) => {
    shape.name(name)
    const path = `${part}.${name}`
    if (name === '' || name === '__proto__' || name.includes('\0') || !name.isWellFormed()) {
      shape.refuse(path, `cannot be called ${describe(name)}`)
      return []
    }
    if (value instanceof Aggregate && part === 'select') return readAggregateOutput(name, value, scope, shape, path)
    if (value instanceof DateTrunc) return readDateTrunc(name, value, scope, shape, path)
    if (typeof value === 'string') return readFieldOutput(name, value, scope, shape, path)
    shape.refuse(
      path,
      `must be a field${part === 'select' ? ' or an aggregate' : ' or dateTrunc()'}, got ${describe(value)}`,
    )
    return []
  })
}

/** Fields that are named alone, or in a list, are called in the results what they are called in the model. */
function outputsOf(part: string, given: unknown, shape: Shape): Record<string, unknown> {
  if (isPlainObject(given)) return given
  if (typeof given === 'string') return { [given]: given }
  if (!Array.isArray(given)) {
    shape.refuse(part, `must be a field, a list of fields or an object of named results, got ${describe(given)}`)
    return {}
  }
  const fields = Array.from(given, (name: unknown, index) => {
    if (typeof name === 'string') return name
    shape.refuse(`${part}.${index}`, `must be a field, got ${describe(name)}; to name a result, give an object`)
    return undefined
  })
  return Object.fromEntries(fields.filter((name) => name !== undefined).map((name) => [name, name]))
}

function readFieldOutput(name: string, value: string, scope: Scope, shape: Shape, path: string): TypedOutput[] {
  const known = resolve(value, scope, shape, path)
  if (known === null) return []
  return [{ output: { kind: 'field', name, field: known.field }, type: known.type, accept: known.accept }]
}

function readDateTrunc(
  name: string,
  { unit, field }: DateTrunc,
  scope: Scope,
  shape: Shape,
  path: string,
): TypedOutput[] {
  const known = resolve(field, scope, shape, path)
  if (UNITS.has(unit)) shape.mark(unit)
  else shape.refuse(path, `must truncate to one of ${[...UNITS].join(', ')}, got ${describe(unit)}`)
  if (known === null) return []
  if (known.type !== 'timestamp') shape.refuse(path, `must truncate a timestamp, ${field} is ${known.type}`)
  return [{ output: { kind: 'dateTrunc', name, unit, field: known.field }, type: 'timestamp', accept: known.accept }]
}

function readAggregateOutput(
  name: string,
  aggregate: Aggregate,
  scope: Scope,
  shape: Shape,
  path: string,
): TypedOutput[] {
  const { function: called, field } = aggregate
  if (FUNCTIONS.has(called)) shape.mark(called)
  else shape.refuse(path, `is not an aggregate: ${describe(called)}`)
  if (field === undefined) {
    if (called !== 'count') shape.refuse(path, `${called} needs a field`)
    return [{ output: { kind: 'aggregate', name, function: called }, ...ofType('integer') }]
  }
  const known = resolve(field, scope, shape, path)
  if (known === null) return []
  if ((called === 'sum' || called === 'avg') && !NUMERIC.has(known.type)) {
    shape.refuse(path, `cannot ${called} ${field}, which is ${known.type}`)
  }
  if (known.type === 'json') shape.refuse(path, `cannot ${called} ${field}, which is JSON; name a path into it`)
  const output: Output = { kind: 'aggregate', name, function: called, field: known.field }
  return [{ output, ...resultType(called, known) }]
}

function resultType(called: Aggregate['function'], known: ScopeField): Pick<TypedOutput, 'type' | 'accept'> {
  if (called === 'count' || called === 'countDistinct') return ofType('integer')
  if (called === 'avg' || (called === 'sum' && known.type === 'path')) return ofType('real')
  return { type: known.type, accept: known.accept }
}

function ofType(type: 'integer' | 'real'): Pick<TypedOutput, 'type' | 'accept'> {
  return { type, accept: acceptorOf({ type }) }
}

function resolve(name: string, scope: Scope, shape: Shape, path: string): ScopeField | null {
  const known = typeof name === 'string' ? scope.resolve(name) : null
  if (known !== null) shape.name(name)
  else shape.refuse(path, `names ${describe(name)}, which is not a field of ${scope.subject}`)
  return known
}

function assertGrouped(groups: readonly TypedOutput[], selected: readonly TypedOutput[], shape: Shape): void {
  for (const { output, type } of groups)
    if (type === 'json') shape.refuse(`groupBy.${output.name}`, 'is JSON; group by a path into it')
  for (const { output } of selected) {
    if (output.kind !== 'aggregate' && !groups.some((group) => group.output.name === output.name)) {
      shape.refuse(`select.${output.name}`, 'must be an aggregate, or be named in groupBy too')
    }
  }
}

/** The names of results, for `having` and the ordering of groups. */
function resultScope(scope: Scope, outputs: readonly TypedOutput[]): Scope {
  const named = new Map(
    outputs.map(({ output, type, accept }) => [output.name, { field: field(output.name, 'output'), type, accept }]),
  )
  return { subject: `the results of ${scope.subject}`, resolve: (name) => named.get(name) ?? null }
}

/** What stands at a JSON path may be of any type, so `where` is the place to compare it. */
function withoutPaths(results: Scope): Scope {
  return {
    subject: results.subject,
    resolve(name) {
      const known = results.resolve(name)
      return known === null || known.type === 'path' ? null : known
    },
  }
}

/** Where nothing is grouped, rows may be ordered by what they are selected as, and by any field. */
function orderScope(scope: Scope, results: Scope): Scope {
  return { subject: scope.subject, resolve: (name) => scope.resolve(name) ?? results.resolve(name) }
}

/** The keys of all models, so that no two rows tie. */
function tieBreakers(model: Model, joined: readonly Model[]): Field[] {
  return [...keyFields(model), ...joined.flatMap((other, index) => keyFields(other, index + 1))]
}
