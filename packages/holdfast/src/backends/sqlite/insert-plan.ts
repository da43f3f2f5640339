import type { Plan, Result, Row } from '../../backend/index.ts'
import type { Model, Models } from '../../schema/index.ts'
import type { Insert } from '../../statement/index.ts'
import { type Compiled, compileStatement, type ReadRow, rowReader, sqliteDialect } from '../sql/index.ts'
import { type RowsCaller, rowsCallerOf } from './calling.ts'
import type { SqliteConnection } from './connection.ts'

/** How many rows one statement inserts: measured on 10,000 rows, 25 at once take 56 % of the time of one by one, more gain nothing. */
const CHUNK_ROWS = 32

/** How many values one statement may bind for a chunk. */
const CHUNK_VALUES = 2_000

/** SQLite's own limit of bound values, by its default. */
const MOST_VALUES = 32_766

/** How many sizes of chunks are kept: three are in use, more only by models that refer to themselves. */
const MOST_CHUNKS = 16

/** The statement that inserts a certain number of rows. */
interface Chunk {
  readonly rows: number
  readonly compiled: Compiled
  readonly call: RowsCaller
  readonly readRow: ReadRow | undefined
}

/** Inserts any number of rows. */
export class InsertPlan implements Plan {
  readonly statement: Insert
  readonly writes = true
  readonly gathers = true
  readonly #models: Models
  readonly #chunks = new Map<number, Chunk>()
  readonly #single: Chunk
  readonly #largest: number
  /** Where a row alone can tell its key by the id that SQLite gave it. */
  readonly #generatedKey: string | undefined
  /** Rows that may refer to each other must be checked together, when all are there. */
  readonly #refersToItself: boolean

  constructor(statement: Insert, models: Models) {
    this.statement = statement
    this.#models = models
    const model = models.get(statement.model) as Model
    const { columns, returning, onConflict } = statement
    const [only] = returning
    const generated = returning.length === 1 && only !== undefined && model.byName.get(only)?.generated === true
    this.#generatedKey = generated && onConflict === undefined ? only : undefined
    this.#refersToItself = model.foreignKeys.some((foreignKey) => foreignKey.model === model.name)
    this.#largest = Math.max(1, Math.min(CHUNK_ROWS, Math.floor(CHUNK_VALUES / Math.max(1, columns.length))))
    this.#single = this.#chunkOf(1, this.#generatedKey === undefined ? statement : { ...statement, returning: [] })
  }

  /** Whether these parameters take several statements, which then must be made one unit. */
  takesSeveral(parameters: readonly unknown[]): boolean {
    const rows = this.#rowsIn(parameters)
    return rows > 1 && rows !== this.#largest && !(this.#refersToItself && rows <= this.#most)
  }

  run(connection: SqliteConnection, parameters: readonly unknown[]): Result {
    const rows = this.#rowsIn(parameters)
    if (rows === 1) return this.#runSingle(connection, parameters)
    const result: { rows: Row[]; count: number } = { rows: [], count: 0 }
    const width = this.statement.columns.length
    for (let done = 0; done < rows; ) {
      const chunk = this.#chunkFor(rows - done)
      this.#runChunk(chunk, connection, parameters, this.statement.leading + done * width, result)
      done += chunk.rows
    }
    return result
  }

  #rowsIn(parameters: readonly unknown[]): number {
    const { columns, leading } = this.statement
    return columns.length === 0 ? 1 : (parameters.length - leading) / columns.length
  }

  #runSingle(connection: SqliteConnection, parameters: readonly unknown[]): Result {
    const { compiled, call, readRow } = this.#single
    const done = call(connection.statement(compiled), parameters, this.statement.leading)
    if (readRow !== undefined) {
      const rows = (done as unknown[][]).map(readRow)
      return { rows, count: rows.length }
    }
    const { changes, lastInsertRowid } = done as { changes: number | bigint; lastInsertRowid: number | bigint }
    if (this.#generatedKey === undefined) return { rows: [], count: Number(changes) }
    return { rows: [{ [this.#generatedKey]: Number(lastInsertRowid) }], count: 1 }
  }

  #runChunk(
    { compiled, call, readRow }: Chunk,
    connection: SqliteConnection,
    parameters: readonly unknown[],
    at: number,
    into: { rows: Row[]; count: number },
  ): void {
    const done = call(connection.statement(compiled), parameters, at)
    if (readRow === undefined) {
      into.count += Number((done as { changes: number | bigint }).changes)
      return
    }
    for (const values of done as unknown[][]) into.rows.push(readRow(values))
    into.count = into.rows.length
  }

  get #most(): number {
    return Math.floor((MOST_VALUES - this.statement.leading) / Math.max(1, this.statement.columns.length))
  }

  /** The largest chunk that so many rows fill. */
  #chunkFor(rows: number): Chunk {
    const size = this.#refersToItself
      ? Math.min(rows, this.#most)
      : rows >= this.#largest
        ? this.#largest
        : rows >= 4
          ? 4
          : 1
    let chunk = this.#chunks.get(size)
    if (chunk === undefined) {
      chunk = this.#chunkOf(size, this.statement)
      if (this.#chunks.size >= MOST_CHUNKS) this.#chunks.clear()
      this.#chunks.set(size, chunk)
    }
    return chunk
  }

  #chunkOf(rows: number, statement: Insert): Chunk {
    const compiled = compileStatement(statement, this.#models, sqliteDialect, rows)
    const readRow = compiled.outputs.length === 0 ? undefined : rowReader(compiled.outputs)
    const call = rowsCallerOf(readRow === undefined ? 'run' : 'all', compiled.bindings, statement.leading)
    return { rows, compiled, call, readRow }
  }
}
