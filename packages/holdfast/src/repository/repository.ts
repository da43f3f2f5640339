import type { Session } from '../backend/index.ts'
import { assertOptions, type Given, type Model, type Schema, unreadable, type Where } from '../schema/index.ts'
import { isPlainObject } from '../statement/index.ts'
import { aggregate } from './aggregate.ts'
import * as inserting from './inserting.ts'
import { QueryBuilder, type Unselected } from './query-builder.ts'
import { type ReadCaching, type ReadOptions, readingSession } from './read-through.ts'
import * as reading from './reading.ts'
import type { RawQuery } from './select.ts'
import type {
  AggregateQuery,
  AggregateRow,
  Aggregates,
  Found,
  GroupBy,
  Include,
  ModelRelations,
  OneQuery,
  OnlyRelations,
  Page,
  PageQuery,
  Patch,
  Path,
  Query,
} from './types.ts'
import * as updating from './updating.ts'
import * as upserting from './upserting.ts'

/**
 * The records of one model: reads and writes, typed from the schema. Made by `storage.repository(name)` or, inside a
 * transaction, `tx.repository(name)`.
 *
 * Every method refuses bad input with a `ValidationError` before anything is written, and writes raise `ConflictError` and
 * `ConstraintError` where the schema's rules are broken.
 */
export class Repository<Row extends object, Insert, Key, S extends Schema, R extends ModelRelations> {
  protected readonly session: Session
  protected readonly model: Model

  readonly #reads: ReadCaching | undefined

  /** @param reads where reads are kept; nowhere in a transaction. */
  constructor(session: Session, model: Model, reads?: ReadCaching) {
    this.session = session
    this.model = model
    this.#reads = reads
  }

  /**
   * Inserts a record and gives it back as stored, with its key and defaults.
   *
   * @example
   * ```ts
   * const kim = await users.create({ username: 'kim' })
   * kim.firstSeen // a Date: defaults are filled in
   * ```
   */
  create(record: Insert): Promise<Row> {
    return inserting.create(this.session, this.model, record) as Promise<Row>
  }

  /**
   * Inserts many records in one statement, all or none, and gives them back in order.
   *
   * @example
   * ```ts
   * const [kim, lee] = await users.createMany([{ username: 'kim' }, { username: 'lee' }])
   * ```
   */
  createMany(records: readonly Insert[]): Promise<Row[]> {
    return inserting.createMany(this.session, this.model, records) as Promise<Row[]>
  }

  /**
   * Stores a record whether it is new or not. One that was read from a versioned model must still have its version.
   *
   * @throws ConflictError when somebody else changed it since it was read.
   *
   * @example
   * ```ts
   * const plan = await plans.getById(id)
   * await plans.save({ ...plan, status: 'ready' })
   * ```
   */
  save(record: Row | Insert): Promise<Row> {
    return this.#given({ '': record }, () => upserting.save(this.session, this.model, record)) as Promise<Row>
  }

  /**
   * Inserts a record or, where one has the same unique fields, updates that one.
   *
   * @param options.on the fields that tell: the primary key unless given, else those of a unique index; of documents, also paths.
   * @param options.update what to change then; the fields that were given unless it is.
   *
   * @example
   * ```ts
   * await users.upsert({ id: 7, username: 'kim' }, { update: { visits: increment(1) } })
   * ```
   */
  upsert(
    record: Insert,
    options: {
      readonly on?: (keyof Row & string) | Path | readonly ((keyof Row & string) | Path)[]
      readonly update?: Patch<Row>
    } = {},
  ): Promise<Row> {
    return this.#given({ '': record, options }, () =>
      upserting.upsert(this.session, this.model, record, options),
    ) as Promise<Row>
  }

  /**
   * Changes some fields of a record and gives it back.
   *
   * @throws NotFoundError; ConflictError when `ifVersion` is given and the record has another version by now.
   *
   * @example
   * ```ts
   * await sessions.update(id, { turns: increment(1), endedAt: null }, { ifVersion: session.version })
   * ```
   */
  update(id: Key, patch: Patch<Row>, options?: { readonly ifVersion?: number }): Promise<Row> {
    return updating.update(this.session, this.model, id, patch, options) as Promise<Row>
  }

  /**
   * Changes all records that match in one statement, and gives their number. `{}` means every record.
   *
   * @example
   * ```ts
   * const closed = await sessions.updateMany({ lastUsed: { lt: yesterday } }, { status: 'closed' })
   * ```
   */
  updateMany(where: Where<Row>, patch: Patch<Row>): Promise<number> {
    return this.#given({ where, '': patch }, () => updating.updateMany(this.session, this.model, where, patch))
  }

  /**
   * Deletes a record; whether there was one.
   *
   * @example
   * ```ts
   * if (!(await users.delete(7))) console.log('there was no such user')
   * ```
   */
  delete(id: Key): Promise<boolean> {
    return updating.deleteById(this.session, this.model, id)
  }

  /**
   * Deletes all records that match in one statement, and gives their number. `{}` means every record.
   *
   * @example
   * ```ts
   * const removed = await sessions.deleteMany({ status: 'closed' })
   * ```
   */
  deleteMany(where: Where<Row>): Promise<number> {
    return this.#given({ where }, () => updating.deleteMany(this.session, this.model, where))
  }

  /**
   * The record with this key, or null.
   *
   * @example
   * ```ts
   * const kim = await users.findById(7)
   * const seat = await seats.findById({ row: 'C', number: 12 }) // a key of several fields
   * ```
   */
  findById(id: Key, options?: ReadOptions): Promise<Row | null> {
    if (options === undefined && this.model.cache === undefined) {
      return reading.findById(this.session, this.model, id) as Promise<Row | null>
    }
    return this.#read({ '': options }, options, (session) =>
      reading.findById(session, this.model, id),
    ) as Promise<Row | null>
  }

  /**
   * The record with this key.
   *
   * @throws NotFoundError where there is none.
   *
   * @example
   * ```ts
   * const { username } = await users.getById(7)
   * ```
   */
  getById(id: Key, options?: ReadOptions): Promise<Row> {
    return this.#read({ '': options }, options, (session) => reading.getById(session, this.model, id)) as Promise<Row>
  }

  /**
   * The records with these keys, in their order; missing ones are left out, repeated keys give one record.
   *
   * @example
   * ```ts
   * const both = await users.findByIds([7, 8])
   * ```
   */
  findByIds(ids: readonly Key[], options?: ReadOptions): Promise<Row[]> {
    return this.#read({ keys: ids, '': options }, options, (session) =>
      reading.findByIds(session, this.model, ids),
    ) as Promise<Row[]>
  }

  /**
   * The first record that matches, or null. A condition or an ordering says which; `{ where: undefined }` is refused.
   *
   * @example
   * ```ts
   * const kim = await users.findOne({ where: { username: 'kim' }, include: { sessions: true } })
   * const latest = await users.findOne({ orderBy: { createdAt: 'desc' } })
   * ```
   */
  findOne<const Field extends keyof Row = keyof Row, const I extends Include<S, R> = Record<never, never>>(
    query: OneQuery<Row, Field, I & OnlyRelations<I, R>>,
  ): Promise<Found<Row, S, R, Field, I> | null> {
    return this.#ask(query, reading.findOne) as Promise<Found<Row, S, R, Field, I> | null>
  }

  /**
   * All records that match, by the primary key unless ordered otherwise.
   *
   * @example
   * ```ts
   * const found = await users.find({
   *   where: { cost: { gt: 5 }, or: [{ team: 'red' }, { team: null }] },
   *   orderBy: { username: 'asc' },
   *   limit: 20,
   *   select: ['id', 'username'],
   * })
   * ```
   */
  find<const Field extends keyof Row = keyof Row, const I extends Include<S, R> = Record<never, never>>(
    query?: Query<Row, Field, I & OnlyRelations<I, R>>,
  ): Promise<Found<Row, S, R, Field, I>[]> {
    return this.#ask(query === undefined ? {} : query, reading.find) as Promise<Found<Row, S, R, Field, I>[]>
  }

  /**
   * The records that match, one by one, with constant memory and from one snapshot.
   *
   * @example
   * ```ts
   * for await (const user of users.stream({ where: { team: 'red' } })) await send(user)
   * ```
   */
  stream<const Field extends keyof Row = keyof Row, const I extends Include<S, R> = Record<never, never>>(
    query?: Query<Row, Field, I & OnlyRelations<I, R>>,
  ): AsyncGenerator<Found<Row, S, R, Field, I>, void, undefined> {
    return this.#stream(query === undefined ? {} : query) as AsyncGenerator<Found<Row, S, R, Field, I>, void, undefined>
  }

  /**
   * One page by keyset: it costs the same wherever it lies, and no record is skipped or repeated when others are written
   * between pages.
   *
   * @example
   * ```ts
   * let page = await users.page({ first: 50, orderBy: { username: 'asc' } })
   * while (page.next !== null) {
   *   page = await users.page({ first: 50, orderBy: { username: 'asc' }, after: page.next })
   * }
   * ```
   */
  page<const Field extends keyof Row = keyof Row, const I extends Include<S, R> = Record<never, never>>(
    query: PageQuery<Row, Field, I & OnlyRelations<I, R>> = {},
  ): Promise<Page<Found<Row, S, R, Field, I>>> {
    return this.#ask(query, reading.page) as Promise<Page<Found<Row, S, R, Field, I>>>
  }

  /**
   * How many records match; all of them without a condition.
   *
   * @example
   * ```ts
   * const active = await sessions.count({ endedAt: null })
   * ```
   */
  count(where?: Where<Row>, options?: ReadOptions): Promise<number> {
    return this.#read({ where, '': options }, options, (session) => reading.countWhere(session, this.model, where))
  }

  /**
   * Whether there is a record with this key, or one that matches.
   *
   * @example
   * ```ts
   * if (await users.exists({ username: 'kim' })) console.log('taken')
   * ```
   */
  exists(idOrWhere: Key | Where<Row>, options?: ReadOptions): Promise<boolean> {
    return this.#read({ where: idOrWhere, '': options }, options, (session) =>
      reading.exists(session, this.model, idOrWhere),
    )
  }

  /**
   * Computes counts, sums and the like, by group; without `groupBy`, one result over all records.
   *
   * @example
   * ```ts
   * await messages.aggregate({
   *   groupBy: { day: dateTrunc('day', 'sentAt'), userId: 'userId' },
   *   select: { n: count(), cost: sum('cost') },
   *   having: { n: { gt: 10 } },
   *   orderBy: { cost: 'desc' },
   * })
   * ```
   */
  aggregate<
    const G extends GroupBy<Row> = Record<never, never>,
    const A extends Aggregates<Row> = Record<never, never>,
  >(query: AggregateQuery<Row, G, A>): Promise<AggregateRow<Row, G, A>[]> {
    return this.#ask(query, aggregate) as Promise<AggregateRow<Row, G, A>[]>
  }

  /**
   * Starts a query with joins, put together step by step.
   *
   * @example
   * ```ts
   * const rows = await sessions.query().join('users', { userId: 'id' }).select(['id', 'users.username']).all()
   * ```
   */
  query(): QueryBuilder<S, Row, Row & Unselected> {
    return new QueryBuilder(this.session, this.model, undefined, this.#reads)
  }

  async *#stream(query: unknown): AsyncGenerator<unknown, void, undefined> {
    const { model } = this
    try {
      yield* reading.stream(this.session, model, query as RawQuery)
    } catch (error) {
      throw unreadable(error, `A query of ${model.name} was refused`, { '': query })
    }
  }

  /** Asks a query. */
  async #ask<T>(query: unknown, ask: (session: Session, model: Model, query: RawQuery) => Promise<T>): Promise<T> {
    const { model } = this
    try {
      if (!isPlainObject(query) || (model.cache === undefined && !('cache' in query)))
        return await ask(this.session, model, query as RawQuery)
      const { cache, ...rest } = query
      return await ask(readingSession(this.session, model, this.#reads, cache), model, rest)
    } catch (error) {
      throw unreadable(error, `A query of ${model.name} was refused`, { '': query })
    }
  }

  /** Reads in the session that the call, or else the model, asks for. */
  #read<T>(given: Given, options: unknown, work: (session: Session) => Promise<T>): Promise<T> {
    return this.#given(given, async () => {
      if (options === undefined && this.model.cache === undefined) return work(this.session)
      if (options !== undefined) assertOptions(`A query of ${this.model.name} was refused`, options, ['cache'])
      return work(readingSession(this.session, this.model, this.#reads, (options as ReadOptions | undefined)?.cache))
    })
  }

  /** Runs a call; where reading what it was given throws, it is refused. */
  async #given<T>(given: Given, call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      throw unreadable(error, `A call of ${this.model.name} was refused`, given)
    }
  }
}
