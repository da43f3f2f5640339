import type { Call, Plan, Result } from '../../backend/index.ts'
import type { Model, Models } from '../../schema/index.ts'
import type { Insert } from '../../statement/index.ts'
import type { SqliteConnection } from './connection.ts'
import { InsertChunk, type Inserted } from './insert-chunk.ts'
import { type KnownRow, knownRowOf } from './known-rows.ts'

/** How many rows one statement inserts: measured on 10,000 rows, 32 at once take 65 % of the time of one by one, more gain nothing. */
const CHUNK_ROWS = 32

/** A few rows, for what is left over. */
const FEW_ROWS = 4

/** How many values one statement may bind for a chunk. */
const CHUNK_VALUES = 2_000

/** SQLite's own limit of bound values, by its default. */
const MOST_VALUES = 32_766

/** How many sizes of chunks are kept: three are in use, more only by models that refer to themselves. */
const MOST_CHUNKS = 16

/** Inserts any number of rows. */
export class InsertPlan implements Plan {
  readonly statement: Insert
  readonly writes = true
  /** Writes of one tick share one commit. */
  readonly gathers = true
  readonly #models: Models
  readonly #chunks = new Map<number, InsertChunk>()
  readonly #single: InsertChunk
  readonly #largest: number
  /**
   * Whether many rows are inserted one by one. A statement of several rows keeps a journal of the pages that it changes, to undo it alone.
   * Where rows go to many places, as in indexes, that outgrows the 64 KB which SQLite keeps in memory, and every statement writes a file:
   * measured on 10,000 rows, one by one takes 0.85 of the time with one index, 0.55 with three, and 1.2 with none. Where the journal stays in
   * memory, several at once take 0.55 to 0.7 of the time of one by one.
   */
  readonly #manyOneByOne: boolean
  readonly #knownRow: KnownRow | undefined
  readonly #givesTime: boolean
  /** Rows that may refer to each other are checked together, when all are there: they need to be in one statement. */
  readonly #refersToItself: boolean
  /** Whether rows of several calls may share a statement: each must be stored, and be stored as if it were alone. */
  readonly #joins: boolean

  constructor(statement: Insert, models: Models) {
    this.statement = statement
    this.#models = models
    const model = models.get(statement.model) as Model
    this.#knownRow = knownRowOf(statement, model)
    this.#givesTime = statement.columns.some(({ value }) => value === 'now')
    this.#refersToItself = model.foreignKeys.some((foreignKey) => foreignKey.model === model.name)
    this.#joins = !this.#refersToItself && statement.onConflict === undefined && statement.leading === 0
    this.#largest = Math.max(FEW_ROWS, Math.min(CHUNK_ROWS, Math.floor(CHUNK_VALUES / this.#width)))
    this.#manyOneByOne = model.indexes.length > 0
    this.#single = new InsertChunk(statement, 1, models, this.#knownRow)
  }

  /** Whether these parameters take several statements, which then must be made one unit. */
  takesSeveral(parameters: readonly unknown[]): boolean {
    const rows = this.#rowsIn(parameters)
    return rows > 1 && this.#sizeFor(rows) < rows
  }

  run(connection: SqliteConnection, parameters: readonly unknown[]): Result {
    const rows = this.#rowsIn(parameters)
    const inserted: Inserted = { rows: [], count: 0 }
    const nowMs = this.#nowMs(connection)
    for (let done = 0; done < rows; ) {
      const chunk = this.#chunkFor(rows - done, connection.undoesInMemory)
      chunk.run(connection, parameters, this.statement.leading + done * this.#width, nowMs, inserted)
      done += chunk.rows
    }
    return inserted
  }

  /** How many calls, from a place on, one statement can make: those of this plan that insert one row each. */
  fitsTogether(calls: readonly Call[], at: number): number {
    if (!this.#joins || this.statement.columns.length === 0) return 1
    let fits = 0
    while (fits < this.#largest && this.#insertsOneRow(calls[at + fits])) fits++
    return fits < 2 ? 1 : this.#sizeFor(fits)
  }

  #insertsOneRow(call: Call | undefined): boolean {
    return call !== undefined && call.plan === this && call.parameters.length === this.statement.columns.length
  }

  /** Inserts the rows of calls that fit together by one statement, and gives each its own result. */
  runTogether(connection: SqliteConnection, calls: readonly Call[]): Result[] {
    const inserted: Inserted = { rows: [], count: 0 }
    const parameters = calls.flatMap((call) => call.parameters)
    this.#chunkFor(calls.length).run(connection, parameters, 0, this.#nowMs(connection), inserted)
    return calls.map((_, index) => {
      const row = inserted.rows[index]
      return { rows: row === undefined ? [] : [row], count: 1 }
    })
  }

  /** The database's time: one for all rows, however many statements insert them. */
  #nowMs(connection: SqliteConnection): number {
    return this.#givesTime ? connection.nowMs : 0
  }

  get #width(): number {
    return Math.max(1, this.statement.columns.length)
  }

  #rowsIn(parameters: readonly unknown[]): number {
    const { columns, leading } = this.statement
    return columns.length === 0 ? 1 : (parameters.length - leading) / columns.length
  }

  /** How many of so many rows the next statement inserts. */
  #sizeFor(rows: number, undoesInMemory = false): number {
    if (this.#refersToItself) return Math.min(rows, Math.floor((MOST_VALUES - this.statement.leading) / this.#width))
    if (this.#manyOneByOne && !undoesInMemory && rows > this.#largest) return 1
    if (rows >= this.#largest) return this.#largest
    return rows >= FEW_ROWS ? FEW_ROWS : 1
  }

  #chunkFor(rows: number, undoesInMemory = false): InsertChunk {
    if (rows === 1) return this.#single
    const size = this.#sizeFor(rows, undoesInMemory)
    if (size === 1) return this.#single
    let chunk = this.#chunks.get(size)
    if (chunk === undefined) {
      chunk = new InsertChunk(this.statement, size, this.#models, this.#knownRow)
      if (this.#chunks.size >= MOST_CHUNKS) this.#chunks.clear()
      this.#chunks.set(size, chunk)
    }
    return chunk
  }
}
