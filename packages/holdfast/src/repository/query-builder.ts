import type { Row, Session } from '../backend/index.ts'
import { ValidationError } from '../base/errors.ts'
import { describe, type Model, type Schema, unreadable, type Where } from '../schema/index.ts'
import {
  type Direction,
  type Field,
  isPlainObject,
  type Join,
  joinedScope,
  modelScope,
  type ScopeField,
  type Select,
  Shape,
} from '../statement/index.ts'
import { type RawAggregate, readAggregate, type Source } from './aggregate.ts'
import type { Aggregate, DateTrunc } from './expressions.ts'
import { type ReadCaching, type ReadOptions, readingSession } from './read-through.ts'
import type { AggregateValue, Named, Names, Path, RowOf, TruncatedValue } from './types.ts'

/** The fields of a joined model, behind its name: `'users.username'`. */
type JoinedRow<S extends Schema, Name extends string, Null> = {
  [Field in keyof RowOf<S, Name> & string as `${Name}.${Field}`]: RowOf<S, Name>[Field] | Null
}

type SelectItem<Scope> = (keyof Scope & string) | Path | Aggregate | DateTrunc

type Selected<Scope, Selection> = {
  -readonly [Name in keyof Selection]: Selection[Name] extends Aggregate<infer F, infer Of>
    ? AggregateValue<Scope, F, Of>
    : Selection[Name] extends DateTrunc<infer Of>
      ? TruncatedValue<Scope, Of>
      : Selection[Name] extends keyof Scope
        ? Scope[Selection[Name]]
        : unknown
}

interface Joining {
  readonly name: string
  readonly model: Model
  readonly kind: 'inner' | 'left'
  readonly on: Readonly<Record<string, string>>
}

/** A query as it was read, and where to ask it. */
interface Reading {
  readonly select: Select
  readonly shape: Shape
  readonly session: Session
}

interface State {
  readonly where: readonly unknown[]
  readonly joins: readonly Joining[]
  readonly query: RawAggregate
  /** What was said of caching. */
  readonly cache: ReadOptions['cache'] | undefined
}

/**
 * A query put together step by step, with joins. Each step gives a new builder, so that a common beginning can be shared.
 *
 * @example
 * ```ts
 * const top = await storage.repository('sessions').query()
 *   .join('users', { userId: 'id' })
 *   .where({ 'users.isAllowed': true })
 *   .groupBy({ name: 'users.username' })
 *   .select({ sessions: count() })
 *   .orderBy({ sessions: 'desc' })
 *   .limit(10)
 *   .all()
 * ```
 */
export class QueryBuilder<S extends Schema, Scope, Result> {
  readonly #session: Session
  readonly #model: Model
  readonly #state: State

  readonly #reads: ReadCaching | undefined

  /** @param reads where reads are kept; nowhere in a transaction. */
  constructor(
    session: Session,
    model: Model,
    state: State = { where: [], joins: [], query: {}, cache: undefined },
    reads?: ReadCaching,
  ) {
    this.#session = session
    this.#model = model
    this.#state = state
    this.#reads = reads
  }

  /**
   * Adds a condition; all that were added must hold. Fields of joins are written `'users.username'`.
   *
   * @example
   * ```ts
   * const open = sessions.query().join('users', { userId: 'id' }).where({ endedAt: null, 'users.team': 'red' })
   * ```
   */
  where(where: Where<Scope>): QueryBuilder<S, Scope, Result> {
    return this.#with({ where: [...this.#state.where, where] })
  }

  /**
   * Puts the records of another model beside these where the named fields are equal: `{ userId: 'id' }`.
   *
   * @example
   * ```ts
   * const rows = await sessions.query().join('users', { userId: 'id' }).select(['id', 'users.username']).all()
   * ```
   */
  join<Name extends keyof S['declarations'] & string>(
    model: Name,
    on: { readonly [Field in (keyof Scope & string) | Path]?: keyof RowOf<S, Name> & string },
  ): QueryBuilder<S, Scope & JoinedRow<S, Name, never>, Result> {
    return this.#join(model, 'inner', on as Record<string, string>)
  }

  /**
   * Like `join`, but keeps records that have no partner; the partner's fields are null then.
   *
   * @example
   * ```ts
   * const idle = await users.query().leftJoin('sessions', { id: 'userId' }).where({ 'sessions.id': null }).select('username').all()
   * ```
   */
  leftJoin<Name extends keyof S['declarations'] & string>(
    model: Name,
    on: { readonly [Field in (keyof Scope & string) | Path]?: keyof RowOf<S, Name> & string },
  ): QueryBuilder<S, Scope & JoinedRow<S, Name, null>, Result> {
    return this.#join(model, 'left', on as Record<string, string>)
  }

  /**
   * Groups rows by a field, by a list of fields, or by names that each stand for a field or a truncated timestamp; the names are part of each
   * result.
   *
   * @example
   * ```ts
   * await messages.query().groupBy({ day: dateTrunc('day', 'sentAt') }).select({ n: count() }).all()
   * ```
   */
  groupBy<
    const G extends
      | Names<(keyof Scope & string) | Path>
      | { readonly [name: string]: (keyof Scope & string) | Path | DateTrunc },
  >(groupBy: G): QueryBuilder<S, Scope, Selected<Scope, Named<G>>> {
    return this.#with({ query: { ...this.#state.query, groupBy } })
  }

  /**
   * Says what each result holds: a field, a list of fields, or names for fields, truncated timestamps and aggregates.
   *
   * @example
   * ```ts
   * await messages.query().groupBy('userId').select({ n: count(), cost: sum('cost') }).all()
   * ```
   */
  select<const Selection extends Names<(keyof Scope & string) | Path> | { readonly [name: string]: SelectItem<Scope> }>(
    select: Selection,
  ): QueryBuilder<S, Scope, (Result extends Unselected ? unknown : Result) & Selected<Scope, Named<Selection>>> {
    return this.#with({ query: { ...this.#state.query, select } })
  }

  /**
   * A condition on groups, by the names of their results.
   *
   * @example
   * ```ts
   * await messages.query().groupBy('userId').select({ n: count() }).having({ n: { gt: 10 } }).all()
   * ```
   */
  having(having: Where<Result>): QueryBuilder<S, Scope, Result> {
    return this.#with({ query: { ...this.#state.query, having } })
  }

  /**
   * Orders the results, by fields or by the names of results.
   *
   * @example
   * ```ts
   * await messages.query().groupBy('userId').select({ n: count() }).orderBy({ n: 'desc' }).all()
   * ```
   */
  orderBy(
    orderBy: { readonly [name: string]: Direction } | readonly { readonly [name: string]: Direction }[],
  ): QueryBuilder<S, Scope, Result> {
    return this.#with({ query: { ...this.#state.query, orderBy } })
  }

  /** At most so many results. */
  limit(limit: number): QueryBuilder<S, Scope, Result> {
    return this.#with({ query: { ...this.#state.query, limit } })
  }

  /** Passes over so many results. */
  offset(offset: number): QueryBuilder<S, Scope, Result> {
    return this.#with({ query: { ...this.#state.query, offset } })
  }

  /**
   * Answers with what was read before, or not: see `ReadOptions`.
   *
   * @example
   * ```ts
   * await users.query().where({ team: 'red' }).cache({ ttlMs: 5_000 }).all()
   * ```
   */
  cache(cache: ReadOptions['cache']): QueryBuilder<S, Scope, Result> {
    return this.#with({ cache })
  }

  /** Asks, and gives all results. */
  async all(): Promise<Result[]> {
    const { select, shape, session } = this.#read()
    await this.#ensureTables()
    const { rows } = await session.execute(
      session.plan(shape.key, () => select),
      shape.parameters,
    )
    return rows as Result[]
  }

  /**
   * Asks, and gives the first result; null where there is none.
   *
   * @example
   * ```ts
   * const dearest = await messages.query().orderBy({ cost: 'desc' }).first()
   * ```
   */
  async first(): Promise<Result | null> {
    return (await this.limit(1).all())[0] ?? null
  }

  /**
   * Asks, and gives the results one by one with constant memory.
   *
   * @example
   * ```ts
   * for await (const { username } of users.query().select(['username']).stream()) console.log(username)
   * ```
   */
  async *stream(): AsyncGenerator<Result, void, undefined> {
    const { select, shape } = this.#read()
    await this.#ensureTables()
    for await (const rows of this.#session.stream(
      this.#session.plan(shape.key, () => select),
      shape.parameters,
    )) {
      yield* rows as Result[]
    }
  }

  /** Collections that the schema does not declare are made at their first use, and this may be it. */
  async #ensureTables(): Promise<void> {
    for (const { model } of this.#state.joins) if (model.undeclared === true) await this.#session.ensureTable(model)
  }

  #with<R, Sc>(change: Partial<State>): QueryBuilder<S, Sc, R> {
    return new QueryBuilder<S, Sc, R>(this.#session, this.#model, { ...this.#state, ...change }, this.#reads)
  }

  #join<R, Sc>(name: string, kind: 'inner' | 'left', on: Readonly<Record<string, string>>): QueryBuilder<S, Sc, R> {
    const model = this.#session.models.get(name)
    if (model === undefined) throw refused(this.#model, joinPath(name), 'is not a table or documents of the schema')
    if (this.#state.joins.some((join) => join.name === name) || name === this.#model.name) {
      throw refused(this.#model, `join.${name}`, 'is part of the query already')
    }
    return this.#with({ joins: [...this.#state.joins, { name, model, kind, on }] })
  }

  #read(): Reading {
    try {
      return this.#readState()
    } catch (error) {
      const { where, joins, query, cache } = this.#state
      const join = Object.fromEntries(joins.map(({ name, on }) => [name, on]))
      throw unreadable(error, `A query of ${this.#model.name} was refused`, { where, join, '': query, cache })
    }
  }

  #readState(): Reading {
    const { where, joins, query, cache } = this.#state
    const shape = new Shape(`${this.#model.name} query`)
    const source = this.#source(joins, shape)
    const selected = query.select === undefined && query.groupBy === undefined ? allFields(this.#model) : query.select
    const select = readAggregate(source, { ...query, where, select: selected }, shape)
    shape.assertValid(`A query of ${this.#model.name} was refused`)
    return { select, shape, session: readingSession(this.#session, this.#model, this.#reads, cache) }
  }

  #source(joins: readonly Joining[], shape: Shape): Source {
    const resolved = joins.map(({ name, model, kind, on }, index): Join => {
      shape.mark(`${kind} join`)
      shape.name(name)
      const earlier = joinedScope(this.#model, joins.slice(0, index))
      const pairs = Object.entries(isPlainObject(on) ? on : {}).map(([left, right]): [Field, Field] => {
        const path = `join.${name}.${left}`
        const known = earlier.resolve(left)
        const other = typeof right === 'string' ? modelScope(model).resolve(right) : null
        if (known === null) shape.refuse(path, `is not a field of ${earlier.subject}`)
        if (other === null) shape.refuse(path, `names ${describe(right)}, which is not a field of ${name}`)
        if (known === null || other === null) return [NOWHERE, NOWHERE]
        if (!comparable(known.type, other.type)) shape.refuse(path, `cannot equal ${right}, which is of another type`)
        if (known.type === 'json' || other.type === 'json') shape.refuse(path, 'is JSON; join by a path into it')
        shape.name(left)
        shape.name(right)
        return [known.field, { ...other.field, source: index + 1 }]
      })
      if (pairs.length === 0) shape.refuse(`join.${name}`, 'must name the fields that are equal')
      return { model: name, kind, on: pairs }
    })
    shape.assertValid(`A query of ${this.#model.name} was refused`)
    return {
      model: this.#model,
      joins: resolved,
      joined: joins.map(({ model }) => model),
      scope: joinedScope(this.#model, joins),
    }
  }
}

/** The type of results before anything was selected: the first model's rows. */
export type Unselected = { readonly $unselected?: never }

/** Without `select`, a query gives the first model's columns. */
function allFields(model: Model): Row {
  if (model.kind === 'documents') {
    throw refused(model, 'select', 'is required in a query of documents: name the fields you want')
  }
  return Object.fromEntries(model.columns.map(({ name }) => [name, name]))
}

function joinPath(name: unknown): string {
  return typeof name === 'string' ? `join.${name}` : 'join'
}

function refused(model: Model, path: string, reason: string): ValidationError {
  return new ValidationError(`A query of ${model.name} was refused`, [{ path, reason }])
}

/** Given back where a name was refused: the query fails before it is used. */
const NOWHERE: Field = { source: 0, column: '', path: [] }

/** Databases disagree on what equals a value of another type; at a JSON path the stored value decides. */
function comparable(one: ScopeField['type'], other: ScopeField['type']): boolean {
  return one === 'path' || other === 'path' || family(one) === family(other)
}

function family(type: string | undefined): string | undefined {
  return type === 'enum' ? 'text' : type
}
