import type { Backend, Executor, Result, Row } from '../packages/holdfast/src/backend/index.ts'
import type { Model, Schema } from '../packages/holdfast/src/schema/index.ts'
import {
  type AfterKey,
  type Assignment,
  type Condition,
  type Field,
  joinedScope,
  keyFields,
  type Order,
  type Output,
  readOrderBy,
  readWhere,
  type Scope,
  Shape,
  type Statement,
} from '../packages/holdfast/src/statement/index.ts'

/** A statement with its parameters. */
export interface Asked {
  readonly statement: Statement
  readonly parameters: readonly unknown[]
}

/** A change in a test: a plain value is set, these are not. */
export type Change =
  | unknown
  | { readonly $increment: unknown }
  | { readonly $proposed: true }
  | { readonly $nowPlusMs: number }

interface Choosing {
  readonly where?: object
  readonly condition?: (shape: Shape) => Condition
  readonly orderBy?: object
  readonly limit?: number
}

interface Selecting extends Choosing {
  /** The last row of the page before; read by `orderBy`. */
  readonly after?: Row
  readonly offset?: number
  /** Names of outputs and the fields they show. */
  readonly fields?: Readonly<Record<string, string>>
  readonly outputs?: (field: (name: string) => Field) => readonly Output[]
  readonly groupBy?: readonly string[]
  readonly having?: (shape: Shape) => Condition
  readonly joins?: readonly {
    readonly model: string
    readonly kind: 'inner' | 'left'
    readonly on: Readonly<Record<string, string>>
  }[]
  readonly limitPer?: { readonly fields: readonly string[]; readonly limit: number }
}

/** Builds statements for the models of a schema as the layers above the port do, and runs them on a backend. */
export class Statements {
  readonly backend: Backend
  readonly #schema: Schema

  constructor(backend: Backend, schema: Schema) {
    this.backend = backend
    this.#schema = schema
  }

  /** Creates all tables. */
  async create(): Promise<void> {
    await this.backend.schema.apply([...this.#schema.models.values()].map((model) => ({ kind: 'createTable', model })))
  }

  run({ statement, parameters }: Asked, on: Executor = this.backend): Promise<Result> {
    return on.execute(this.backend.prepare(statement), parameters)
  }

  async select(model: string, query: Selecting = {}, on: Executor = this.backend): Promise<Row[]> {
    return (await this.run(this.selecting(model, query), on)).rows
  }

  insert(model: string, rows: readonly Row[], options: Inserting = {}, on: Executor = this.backend): Promise<Result> {
    return this.run(this.inserting(model, rows, options), on)
  }

  update(model: string, set: Row, choosing: Returning = {}, on: Executor = this.backend): Promise<Result> {
    return this.run(this.updating(model, set, choosing), on)
  }

  delete(model: string, choosing: Returning = {}, on: Executor = this.backend): Promise<Result> {
    return this.run(this.deleting(model, choosing), on)
  }

  selecting(name: string, query: Selecting = {}): Asked {
    const model = this.model(name)
    const shape = new Shape('test')
    const joined = (query.joins ?? []).map((join) => ({ name: join.model, model: this.model(join.model) }))
    const scope = joinedScope(model, joined)
    const field = (path: string): Field => fieldIn(scope, path)
    const joins = (query.joins ?? []).map(({ model: target, kind, on }, index) => ({
      model: target,
      kind,
      on: Object.entries(on).map(
        ([here, there]) =>
          [field(here), { ...fieldIn(joinedScope(this.model(target), []), there), source: index + 1 }] as const,
      ),
    }))
    const fields = query.fields ?? Object.fromEntries(model.columns.map((column) => [column.name, column.name]))
    const outputs =
      query.outputs?.(field) ??
      Object.entries(fields).map(([output, path]) => ({
        kind: 'field' as const,
        name: output,
        field: model.byName.has(path) ? { source: 0, column: path, path: [] } : field(path),
      }))
    const having = query.having?.(shape)
    const orderBy =
      query.groupBy === undefined
        ? readOrderBy(
            query.orderBy,
            outputScope(scope, outputs),
            shape,
            query.orderBy === undefined ? [] : keyFields(model),
          )
        : readOrderBy(query.orderBy, outputScope(scope, outputs), shape, [])
    const after = query.after
    const condition = after === undefined ? query.condition : () => afterRow(after, orderBy, shape)
    return asked(shape, {
      kind: 'select',
      model: name,
      joins,
      outputs,
      orderBy,
      ...this.#where(scope, { ...query, ...(condition && { condition }) }, shape),
      ...(query.groupBy !== undefined && { groupBy: query.groupBy }),
      ...(having !== undefined && { having }),
      ...(query.limit !== undefined && { limit: shape.add(query.limit) }),
      ...(query.offset !== undefined && { offset: shape.add(query.offset) }),
      ...(query.limitPer !== undefined && {
        limitPer: { fields: query.limitPer.fields.map(field), limit: shape.add(query.limitPer.limit) },
      }),
    })
  }

  inserting(name: string, rows: readonly Row[], { onConflict, returning = [], now = [] }: Inserting = {}): Asked {
    const model = this.model(name)
    const shape = new Shape('test')
    const conflict = onConflict && { columns: onConflict.columns, set: this.#assignments(model, onConflict.set, shape) }
    const leading = shape.parameters.length
    const columns = Object.keys(rows[0] ?? {})
    for (const row of rows) for (const column of columns) shape.add(row[column])
    return asked(shape, {
      kind: 'insert',
      model: name,
      columns: columns.map((column) => ({ column, value: now.includes(column) ? 'now' : 'given' })),
      leading,
      returning,
      ...(conflict !== undefined && { onConflict: conflict }),
    })
  }

  updating(name: string, set: Row, { returning = [], ...choosing }: Returning = {}): Asked {
    const model = this.model(name)
    const shape = new Shape('test')
    return asked(shape, {
      kind: 'update',
      model: name,
      set: this.#assignments(model, set, shape),
      ...this.#choosing(model, choosing, shape),
      returning,
    })
  }

  deleting(name: string, { returning = [], ...choosing }: Returning = {}): Asked {
    const shape = new Shape('test')
    return asked(shape, {
      kind: 'delete',
      model: name,
      ...this.#choosing(this.model(name), choosing, shape),
      returning,
    })
  }

  model(name: string): Model {
    return this.#schema.models.get(name) as Model
  }

  #choosing(model: Model, choosing: Choosing, shape: Shape) {
    const scope = joinedScope(model, [])
    const orderBy = choosing.orderBy === undefined ? [] : readOrderBy(choosing.orderBy, scope, shape, keyFields(model))
    return {
      ...this.#where(scope, choosing, shape),
      orderBy,
      ...(choosing.limit !== undefined && { limit: shape.add(choosing.limit) }),
    }
  }

  #where(scope: Scope, { where, condition }: Choosing, shape: Shape): { where?: Condition } {
    const read = where === undefined ? undefined : readWhere(where, scope, shape)
    const conditions = [read, condition?.(shape)].filter((one) => one !== undefined)
    return conditions.length === 0
      ? {}
      : { where: conditions.length === 1 ? (conditions[0] as Condition) : { kind: 'and', conditions } }
  }

  #assignments(model: Model, set: Row, shape: Shape): Assignment[] {
    return Object.entries(set).map(([path, change]): Assignment => {
      const field = fieldIn(joinedScope(model, []), path)
      const special = change as { $increment?: unknown; $proposed?: true; $nowPlusMs?: number } | null
      if (special?.$proposed) return { field, operation: 'proposed' }
      if (special?.$nowPlusMs !== undefined) {
        return { field, operation: 'set', operand: { kind: 'now', plusMs: shape.add(special.$nowPlusMs) } }
      }
      const increments = special !== null && typeof special === 'object' && '$increment' in special
      const parameter = shape.add(increments ? special.$increment : change)
      return { field, operation: increments ? 'increment' : 'set', operand: { kind: 'parameter', parameter } }
    })
  }
}

interface Returning extends Choosing {
  readonly returning?: readonly string[]
}

interface Inserting {
  readonly onConflict?: { readonly columns: readonly string[]; readonly set: Row }
  readonly returning?: readonly string[]
  /** Columns whose value is the database's time plus so many milliseconds. */
  readonly now?: readonly string[]
}

function asked(shape: Shape, statement: Statement): Asked {
  shape.assertValid('The statement of a test is wrong')
  return { statement, parameters: shape.parameters }
}

/** The condition of a page after a row that holds whole columns. */
function afterRow(row: Row, orderBy: readonly Order[], shape: Shape): Condition {
  const keys = orderBy.map(({ field, direction }): AfterKey => {
    const start: unknown = row[field.column]
    const value = field.path.reduce((inner: unknown, step) => (inner as Row | null)?.[step] ?? null, start)
    if (value === null) return { field, direction, parameter: null }
    if (field.path.length === 0) return { field, direction, parameter: shape.add(value) }
    if (typeof value === 'object') return { field, direction, parameter: null, json: 'other' }
    const json = ({ string: 'text', number: 'number', boolean: 'boolean' } as const)[
      typeof value as 'string' | 'number' | 'boolean'
    ]
    return { field, direction, parameter: shape.add(value), json }
  })
  return { kind: 'after', keys }
}

function fieldIn(scope: Scope, path: string): Field {
  const known = scope.resolve(path)
  if (known === null) throw new Error(`${path} is not a field of ${scope.subject}`)
  return known.field
}

function outputScope(scope: Scope, outputs: readonly Output[]): Scope {
  return {
    subject: scope.subject,
    resolve(name) {
      if (!outputs.some((output) => output.name === name && output.kind !== 'field')) return scope.resolve(name)
      const field: Field = { source: 'output', column: name, path: [] }
      return { field, type: 'real', accept: (value) => value }
    },
  }
}
