import type { Session } from '../backend/index.ts'
import { ConfigurationError, ValidationError } from '../base/errors.ts'
import { AsOf, type History, prune, readVersions, revert, type Version } from '../history/index.ts'
import { type ModelRelations, type ReadCaching, Repository } from '../repository/index.ts'
import { describe, type Model, type Schema } from '../schema/index.ts'

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

  /** @param history undefined where the model keeps none. */
  constructor(session: Session, model: Model, history: History | undefined, reads?: ReadCaching) {
    super(session, model, reads)
    this.#history = history
  }

  /**
   * Every version of a record, the first one first: what it was, who made it so, and from when to when. Empty for a record that never was.
   *
   * @throws ConfigurationError where the model keeps no history.
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
   */
  async revert(id: Key, version: number): Promise<Row> {
    return revert(this.session, this.#kept('revert'), id, version) as Promise<Row>
  }

  /**
   * Removes versions that were replaced before a time, and all of records that were deleted before it. Present records keep their last
   * version. With `history: { keepMs }` it is done without being asked.
   *
   * @returns how many versions were removed.
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

  /** @throws ConfigurationError */
  #kept(method: string): History {
    if (this.#history !== undefined) return this.#history
    throw new ConfigurationError(`${this.model.name} keeps no history, which ${method} needs.`, {
      hint: `Declare ${this.model.name} with { history: true }.`,
    })
  }
}
