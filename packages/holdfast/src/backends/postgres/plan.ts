import type { Plan, ReadRow, Result, Row } from '../../backend/index.ts'
import type { Model, Models } from '../../schema/index.ts'
import { accessOf, type Select, type Statement } from '../../statement/index.ts'
import { compileStatement, postgresDialect, rowReader } from '../sql/index.ts'
import type { Cells } from './driver.ts'
import type { Reply, Request } from './exchange.ts'
import { InsertRows } from './insert-rows.ts'
import { compileLookup, isLookup, type Lookup, matchesOneRow } from './lookup.ts'
import { PreparedText } from './prepared-text.ts'

/** The id of the transaction, by which its outcome can be asked for; null until it has written. */
export const TRANSACTION_ID = 'pg_current_xact_id_if_assigned()::text'

/**
 * Sent around a statement that takes the first rows of many. Without statistics, as of a table that was just filled, the server believes that
 * few rows match, and reads and sorts all of them each time: with 50,000 jobs waiting, taking 1,000 took 175 ms instead of 17. An index
 * gives the order, so there is nothing to sort.
 */
const SORTING_OFF = `select set_config('enable_sort', 'off', true)`
const SORTING_ON = `select set_config('enable_sort', 'on', true)`
/** For what commits by itself and need not wait for the disk. */
const UNSYNCED = `select set_config('synchronous_commit', 'off', true)`

/** A statement made ready for Postgres: its SQL, and how its rows are read. */
export class PostgresPlan implements Plan {
  readonly statement: Statement
  readonly gathers: boolean
  readonly writes: boolean
  /** Present for inserts, which take any number of rows. */
  readonly rows: InsertRows | undefined
  readonly #models: Models
  readonly #prepare: boolean
  readonly #one: PreparedText
  /** What is sent before and after it. */
  readonly #around: readonly [Request, Request] | undefined
  /** What is sent with it where it commits by itself. */
  readonly #unsynced: Request | undefined
  readonly #givesRows: boolean
  readonly #read: ReadRow | undefined
  readonly #onDeleted: ((count: number) => void) | undefined
  #lookup: Lookup | undefined
  #identified: PreparedText | undefined

  /**
   * @param prepare whether sessions keep it.
   * @param onDeleted is told how many rows it has deleted, each time.
   */
  constructor(statement: Statement, models: Models, prepare: boolean, onDeleted?: (count: number) => void) {
    const { text, bindings, outputs, givesRows } = compileStatement(statement, models, postgresDialect)
    this.statement = statement
    this.writes = statement.kind !== 'select'
    this.#models = models
    this.#prepare = prepare
    this.#onDeleted = onDeleted
    this.#one = new PreparedText(text, bindings, prepare)
    this.#around = takesInOrder(statement, models)
      ? [new PreparedText(SORTING_OFF, [], prepare).request([]), new PreparedText(SORTING_ON, [], prepare).request([])]
      : undefined
    const isUnsynced = statement.kind === 'update' && statement.unsynced === true
    this.#unsynced = isUnsynced ? new PreparedText(UNSYNCED, [], prepare).request([]) : undefined
    this.#givesRows = givesRows
    this.#read = outputs.length === 0 ? undefined : rowReader(outputs)
    this.rows = statement.kind === 'insert' ? new InsertRows(statement, models, this.#one, prepare) : undefined
    this.gathers = gathers(statement, models)
  }

  /** The text of a select, for a cursor. */
  get text(): string {
    return this.#one.text
  }

  /** What is sent for a call: one request, but for inserts of very many rows, or of none, and for what takes rows in order. */
  requests(parameters: readonly unknown[]): readonly Request[] {
    if (this.rows !== undefined) return this.rows.requests(parameters)
    const request = this.#one.request(parameters)
    return this.#around === undefined ? [request] : [this.#around[0], request, this.#around[1]]
  }

  /**
   * Like `requests`, with the id of the transaction as the last column of the row that is written: asking for it apart costs as much as
   * a write. Undefined where there may be more rows than one, or where it is not all that is sent.
   */
  identified(parameters: readonly unknown[]): Request | undefined {
    if (this.#around !== undefined || !this.#writesOneRow(parameters)) return undefined
    if (this.#identified === undefined) {
      const { text, bindings } = this.#one
      const column = `${this.#givesRows ? ', ' : ' returning '}${TRANSACTION_ID}`
      this.#identified = new PreparedText(text + column, bindings, this.#prepare)
    }
    return this.#identified.request(parameters)
  }

  /** What is sent for a call that commits by itself. */
  requestsAlone(parameters: readonly unknown[]): readonly Request[] {
    const requests = this.requests(parameters)
    return this.#unsynced === undefined ? requests : [...requests, this.#unsynced]
  }

  /** What came of a call. */
  result(replies: readonly Reply[]): Result {
    // Whatever is sent around it, there is one statement; but for inserts, around which nothing is.
    if (this.rows === undefined) return this.#resultOf(replies[this.#around === undefined ? 0 : 1] as Reply)
    const results = replies.map((reply) => this.#resultOf(reply))
    return {
      rows: results.flatMap(({ rows }) => rows),
      count: results.reduce((sum, { count }) => sum + count, 0),
    }
  }

  /** The rows of a select, or those that a write gives back. */
  read(rows: readonly Cells[]): Row[] {
    const read = this.#read
    return read === undefined ? [] : rows.map((cells) => read(cells))
  }

  /** One statement for many calls of a select that finds one row at most by a unique key. */
  get lookup(): Lookup {
    this.#lookup ??= compileLookup(this.statement as Select, this.#models, this.#prepare)
    return this.#lookup
  }

  #writesOneRow(parameters: readonly unknown[]): boolean {
    const { statement } = this
    if (statement.kind === 'select' || (statement.kind === 'delete' && statement.into !== undefined)) return false
    if (this.rows !== undefined) return this.rows.count(parameters) === 1
    return statement.kind !== 'insert' && matchesOneRow(statement.where, this.#models.get(statement.model) as Model)
  }

  #resultOf({ rows, tag }: Reply): Result {
    const count = this.writes ? countOf(tag) : rows.length
    this.#onDeleted?.(count)
    return { rows: this.read(rows), count }
  }
}

/** The number of rows that a tag ends in: `INSERT 0 3`. */
function countOf(tag: string): number {
  return Number(tag.slice(tag.lastIndexOf(' ') + 1))
}

/** Whether an index gives the order in which a statement takes rows to write or to lock, so that it can stop at the limit. */
function takesInOrder(statement: Statement, models: Models): boolean {
  if (statement.kind === 'insert' || (statement.kind === 'select' && statement.skipLocked !== true)) return false
  if (statement.limit === undefined || statement.orderBy.length === 0) return false
  return accessOf(statement, models).order !== null
}

/** Writes that choose rows and pass over locked ones belong to callers that compete: each runs alone. */
function gathers(statement: Statement, models: Models): boolean {
  switch (statement.kind) {
    case 'select':
      return isLookup(statement, models.get(statement.model) as Model)
    case 'insert':
      return statement.columns.length > 0
    default:
      return statement.limit === undefined && statement.skipLocked !== true && statement.where !== undefined
  }
}
