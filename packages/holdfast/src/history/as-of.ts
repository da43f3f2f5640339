import type { Session } from '../backend/index.ts'
import { NotFoundError, ValidationError } from '../base/errors.ts'
import {
  acceptKey,
  type Extra,
  type OneQuery,
  type Page,
  type PageQuery,
  type Query,
  reading,
} from '../repository/index.ts'
import { describe, type Where } from '../schema/index.ts'
import { all, any, type Condition, compare, equals, isNull, not, type Shape } from '../statement/index.ts'
import { readHead } from './head.ts'
import type { History } from './models.ts'
import { settle } from './settling.ts'

/** A query of the past: relations are not kept with it. */
export type PastQuery<Row, Field extends keyof Row = keyof Row> = Omit<Query<Row, Field>, 'include'>

/**
 * The records of a model as they were at one time, in the language in which the present is asked. Made by `repository.asOf(date)`.
 *
 * @example
 * ```ts
 * const then = plans.asOf(lastMonday)
 * const active = await then.find({ where: { status: 'active' } })
 * const before = await then.findById(id)
 * ```
 */
export class AsOf<Row extends object, Key> {
  readonly #session: Session
  readonly #history: History
  readonly #at: Date
  readonly #extra: Extra

  /** @throws ValidationError unless it is a time. */
  constructor(session: Session, history: History, at: Date) {
    if (!(at instanceof Date) || Number.isNaN(at.getTime())) {
      throw new ValidationError(`The past of ${history.model.name} was refused`, [
        { path: 'date', reason: `must be a valid Date, got ${describe(at)}` },
      ])
    }
    this.#session = session
    this.#history = history
    this.#at = new Date(at)
    this.#extra = { condition: (shape) => validAt(this.#at, shape) }
  }

  /** The records that match, by the primary key unless ordered otherwise. */
  async find<const Field extends keyof Row = keyof Row>(
    query: PastQuery<Row, Field> = {},
  ): Promise<Pick<Row, Field>[]> {
    const { asModel } = this.#history
    return this.#read((session) => reading.find(session, asModel, query, this.#extra) as never)
  }

  /** The first record that matches, or null. */
  async findOne<const Field extends keyof Row = keyof Row>(
    query: Omit<OneQuery<Row, Field>, 'include'>,
  ): Promise<Pick<Row, Field> | null> {
    const { asModel } = this.#history
    return this.#read((session) => reading.findOne(session, asModel, query, this.#extra) as never)
  }

  /** The record that had this key, or null. */
  async findById(id: Key): Promise<Row | null> {
    const { asModel } = this.#history
    const key = acceptKey(asModel, id)
    const extra: Extra = {
      condition: (shape) => {
        const condition = validAt(this.#at, shape)
        shape.mark('by key')
        return all(condition, ...asModel.primaryKey.map((name, index) => equals(name, shape.add(key[index]))))
      },
    }
    const [record] = await this.#read((session) => reading.find(session, asModel, {}, extra))
    return (record ?? null) as Row | null
  }

  /**
   * The record that had this key.
   *
   * @throws NotFoundError where there was none.
   */
  async getById(id: Key): Promise<Row> {
    const record = await this.findById(id)
    if (record === null) throw new NotFoundError(this.#history.model.name, id)
    return record
  }

  /** The records that match, one by one. */
  async *stream<const Field extends keyof Row = keyof Row>(
    query: PastQuery<Row, Field> = {},
  ): AsyncGenerator<Pick<Row, Field>, void, undefined> {
    const { asModel } = this.#history
    await this.#read(async () => undefined)
    yield* reading.stream(this.#session, asModel, query, this.#extra) as AsyncGenerator<Pick<Row, Field>>
    await this.#assertKept()
  }

  /** One page by keyset. */
  async page<const Field extends keyof Row = keyof Row>(
    query: Omit<PageQuery<Row, Field>, 'include'> = {},
  ): Promise<Page<Pick<Row, Field>>> {
    const { asModel } = this.#history
    return this.#read((session) => reading.page(session, asModel, query, this.#extra) as never)
  }

  /** How many records matched. */
  async count(where?: Where<Row>): Promise<number> {
    const { asModel } = this.#history
    return this.#read((session) => reading.countWhere(session, asModel, where, this.#extra))
  }

  /** Whether there was a record with this key, or one that matches. */
  async exists(idOrWhere: Key | Where<Row>): Promise<boolean> {
    const { asModel } = this.#history
    return this.#read((session) => reading.exists(session, asModel, idOrWhere, this.#extra))
  }

  /** Asked afterwards whether it is all there still, so that nothing that was removed meanwhile is missed. */
  async #read<T>(read: (session: Session) => Promise<T>): Promise<T> {
    await settle(this.#session, this.#history)
    const found = await read(this.#session)
    await this.#assertKept()
    return found
  }

  async #assertKept(): Promise<void> {
    const { model } = this.#history
    const { prunedBefore } = await readHead(this.#session, model.name)
    if (prunedBefore === null || this.#at >= prunedBefore) return
    const reason = `is before ${prunedBefore.toISOString()}, and what was replaced before then is no longer kept`
    throw new ValidationError(`The past of ${model.name} was refused`, [{ path: 'date', reason }])
  }
}

/** What was there at a time: what had begun, had not been replaced, and is not the end of a record. */
function validAt(at: Date, shape: Shape): Condition {
  shape.mark('as of')
  const time = shape.add(at)
  const deleted = shape.add('delete')
  return all(
    compare('historyFrom', 'lte', time),
    any(isNull('historyTo'), compare('historyTo', 'gt', time)),
    not(equals('historyOperation', deleted)),
    not(isNull('historySequence')),
  )
}
