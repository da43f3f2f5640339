import type { Session } from '../backend/index.ts'
import { ConfigurationError, ValidationError } from '../base/errors.ts'
import type { LoopHost } from '../base/loop-bell.ts'
import { AsOf, type History, prune, readVersions, revert, type Version } from '../history/index.ts'
import {
  type Found,
  type Include,
  type ModelRelations,
  type OnlyRelations,
  type Query,
  type ReadCaching,
  Repository,
  reading,
} from '../repository/index.ts'
import { describe, type Model, type Schema, type Where } from '../schema/index.ts'
import { type LiveQueryOptions, liveQuery, modelsRead } from './live-query.ts'
import { Watching, type WatchOptions } from './watching.ts'

/**
 * The records of one model, and what became of them: their versions, their past, and their changes as they happen. Made by
 * `storage.repository(name)`.
 */
export class LiveRepository<
  Row extends object,
  Insert,
  Key,
  S extends Schema,
  R extends ModelRelations,
> extends Repository<Row, Insert, Key, S, R> {
  readonly #history: History | undefined
  readonly #host: LoopHost | undefined

  /**
   * @param history undefined where the model keeps none.
   * @param host undefined in a transaction, which watches nothing.
   */
  constructor(
    session: Session,
    model: Model,
    history: History | undefined,
    host: LoopHost | undefined,
    reads?: ReadCaching,
  ) {
    super(session, model, reads)
    this.#history = history
    this.#host = host
  }

  /**
   * Every version of a record, the first one first: what it was, who made it so, and from when to when. Empty for a record that never was.
   *
   * @throws ConfigurationError where the model keeps no history.
   *
   * @example
   * ```ts
   * for (const { version, operation, actor } of await plans.history(id)) console.log(version, operation, actor)
   * ```
   */
  async history(id: Key): Promise<Version<Row>[]> {
    return readVersions(this.session, this.#kept('history'), id) as Promise<Version<Row>[]>
  }

  /**
   * The records as they were at a time, to be asked like the present ones.
   *
   * @throws ConfigurationError where the model keeps no history.
   *
   * @example
   * ```ts
   * await plans.asOf(lastMonday).find({ where: { status: 'active' }, orderBy: { name: 'asc' } })
   * ```
   */
  asOf(date: Date): AsOf<Row, Key> {
    return new AsOf(this.session, this.#kept('asOf'), date)
  }

  /**
   * Makes a record what it was in a version, as a new version; also one that was deleted since.
   *
   * @throws NotFoundError where there is no such version; ValidationError where it is the end of the record; ConfigurationError where the
   *   model keeps no history.
   *
   * @example
   * ```ts
   * await plans.revert(id, 3)
   * ```
   */
  async revert(id: Key, version: number): Promise<Row> {
    return revert(this.session, this.#kept('revert'), id, version) as Promise<Row>
  }

  /**
   * Removes versions that were replaced before a time, and all of records that were deleted before it. Present records keep their last
   * version. With `history: { keepMs }` it is done without being asked.
   *
   * @returns how many versions were removed.
   *
   * @example
   * ```ts
   * await plans.pruneHistory(lastMonth)
   * ```
   */
  async pruneHistory(before: Date): Promise<number> {
    const history = this.#kept('pruneHistory')
    if (!(before instanceof Date) || Number.isNaN(before.getTime())) {
      throw new ValidationError(`Pruning the history of ${this.model.name} was refused`, [
        { path: 'before', reason: `must be a valid Date, got ${describe(before)}` },
      ])
    }
    return prune(this.session, history, before)
  }

  /**
   * The changes of the model as they are committed, by any process: each once, in the order of the commits, and none missed. They are
   * read as the loop asks for them.
   *
   * @param where which records are meant: those that match before or after a change; all unless given.
   * @throws ConfigurationError where the model declares neither `watch` nor `history`, and in a transaction; ValidationError, from the loop,
   *   where changes behind `after` are no longer kept.
   *
   * @example
   * ```ts
   * for await (const { operation, id, before, after, cursor } of plans.watch({ status: 'active' }, { after: await lastCursor() })) {
   *   await tell(operation, id, before, after)
   *   await keep(cursor)
   * }
   * ```
   */
  watch(where?: Where<Row>, options: WatchOptions = {}): Watching<Row, Key> {
    return new Watching(this.session, this.#kept('watch'), this.#outside('watch'), where, options)
  }

  /**
   * The result of a query, at once and whenever it has become another one.
   *
   * What this process commits is noticed at once, what others do within `pollMs`, or at once where the model declares `watch` or `history`.
   *
   * @throws ConfigurationError in a transaction.
   *
   * @example
   * ```ts
   * for await (const active of plans.watchQuery({ where: { status: 'active' }, limit: 10 })) show(active)
   * ```
   */
  watchQuery<const Field extends keyof Row = keyof Row, const I extends Include<S, R> = Record<never, never>>(
    query: Query<Row, Field, I & OnlyRelations<I, R>> = {},
    options: LiveQueryOptions = {},
  ): AsyncGenerator<Found<Row, S, R, Field, I>[], void, undefined> {
    const { session, model } = this
    const host = this.#outside('watchQuery')
    const reads = modelsRead(model, session.models, query?.include)
    const topic = this.#history?.topic
    // From the database: what a cache holds may be older than the commit that woke us.
    const run = () => reading.find(session, model, query) as unknown as Promise<Found<Row, S, R, Field, I>[]>
    return liveQuery({ session, model, topic, host, reads, run }, options)
  }

  /** @throws ConfigurationError */
  #outside(method: string): LoopHost {
    if (this.#host !== undefined) return this.#host
    throw new ConfigurationError(`${method} was used in a transaction, which sees nothing of what others commit.`, {
      code: 'TRANSACTION_MISUSE',
      hint: 'Use storage.repository(…), outside of the transaction.',
    })
  }

  /** @throws ConfigurationError */
  #kept(method: string): History {
    if (this.#history !== undefined) return this.#history
    throw new ConfigurationError(`${this.model.name} keeps no history, which ${method} needs.`, {
      hint: `Declare ${this.model.name} with { ${method === 'watch' ? 'watch' : 'history'}: true }.`,
    })
  }
}
