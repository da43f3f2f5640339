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

  /** Inserts a record and gives it back as stored, with its key and defaults. */
  create(record: Insert): Promise<Row> {
    return inserting.create(this.session, this.model, record) as Promise<Row>
  }

  /** Inserts many records in one statement, all or none, and gives them back in order. */
  createMany(records: readonly Insert[]): Promise<Row[]> {
    return inserting.createMany(this.session, this.model, records) as Promise<Row[]>
  }

  /**
   * Stores a record whether it is new or not. One that was read from a versioned model must still have its version.
   *
   * @throws ConflictError when somebody else changed it since it was read.
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
   */
  update(id: Key, patch: Patch<Row>, options?: { readonly ifVersion?: number }): Promise<Row> {
    return updating.update(this.session, this.model, id, patch, options) as Promise<Row>
  }

  /** Changes all records that match in one statement, and gives their number. `{}` means every record. */
  updateMany(where: Where<Row>, patch: Patch<Row>): Promise<number> {
    return this.#given({ where, '': patch }, () => updating.updateMany(this.session, this.model, where, patch))
  }

  /** Deletes a record; whether there was one. */
  delete(id: Key): Promise<boolean> {
    return updating.deleteById(this.session, this.model, id)
  }

  /** Deletes all records that match in one statement, and gives their number. `{}` means every record. */
  deleteMany(where: Where<Row>): Promise<number> {
    return this.#given({ where }, () => updating.deleteMany(this.session, this.model, where))
  }

  /** The record with this key, or null. */
  findById(id: Key, options?: ReadOptions): Promise<Row | null> {
    if (options === undefined && this.model.cache === undefined) {
      return reading.findById(this.session, this.model, id) as Promise<Row | null>
    }
    return this.#read({ '': options }, options, (session) =>
      reading.findById(session, this.model, id),
    ) as Promise<Row | null>
  }

  /** @throws NotFoundError where there is no record with this key. */
  getById(id: Key, options?: ReadOptions): Promise<Row> {
    return this.#read({ '': options }, options, (session) => reading.getById(session, this.model, id)) as Promise<Row>
  }

  /** The records with these keys, in their order; missing ones are left out, repeated keys give one record. */
  findByIds(ids: readonly Key[], options?: ReadOptions): Promise<Row[]> {
    return this.#read({ keys: ids, '': options }, options, (session) =>
      reading.findByIds(session, this.model, ids),
    ) as Promise<Row[]>
  }

  /** The first record that matches, or null. The condition is required. */
  findOne<const Field extends keyof Row = keyof Row, const I extends Include<S, R> = Record<never, never>>(
    query: OneQuery<Row, Field, I & OnlyRelations<I, R>>,
  ): Promise<Found<Row, S, R, Field, I> | null> {
    return this.#ask(query, reading.findOne) as Promise<Found<Row, S, R, Field, I> | null>
  }

  /** All records that match, by the primary key unless ordered otherwise. */
  find<const Field extends keyof Row = keyof Row, const I extends Include<S, R> = Record<never, never>>(
    query?: Query<Row, Field, I & OnlyRelations<I, R>>,
  ): Promise<Found<Row, S, R, Field, I>[]> {
    return this.#ask(query === undefined ? {} : query, reading.find) as Promise<Found<Row, S, R, Field, I>[]>
  }

  /** The records that match, one by one, with constant memory and from one snapshot. */
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
   * let after: string | null = null
   * do {
   *   const page = await users.page({ first: 50, after, orderBy: { username: 'asc' } })
   *   after = page.next
   * } while (after !== null)
   * ```
   */
  page<const Field extends keyof Row = keyof Row, const I extends Include<S, R> = Record<never, never>>(
    query: PageQuery<Row, Field, I & OnlyRelations<I, R>>,
  ): Promise<Page<Found<Row, S, R, Field, I>>> {
    return this.#ask(query, reading.page) as Promise<Page<Found<Row, S, R, Field, I>>>
  }

  /** How many records match; all of them without a condition. */
  count(where?: Where<Row>, options?: ReadOptions): Promise<number> {
    return this.#read({ where, '': options }, options, (session) => reading.countWhere(session, this.model, where))
  }

  /** Whether there is a record with this key, or one that matches. */
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

  /** Starts a query with joins, put together step by step. */
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
