import type { ReadRow, Row } from '../../backend/index.ts'
import type { Models } from '../../schema/index.ts'
import type { Insert } from '../../statement/index.ts'
import { type Binding, type Compiled, compileStatement, rowReader, sqliteDialect } from '../sql/index.ts'
import { type RowsCaller, rowsCallerOf } from './calling.ts'
import type { SqliteConnection } from './connection.ts'
import { type KnownRow, storedTime } from './known-rows.ts'

/** What came of an insert so far. */
export interface Inserted {
  readonly rows: Row[]
  count: number
}

/** The statement that inserts a certain number of rows. */
export class InsertChunk {
  /** How many rows. */
  readonly rows: number
  readonly #compiled: Compiled
  readonly #call: RowsCaller
  readonly #readRow: ReadRow | undefined
  /** Makes the rows that are given back where SQLite need not be asked. */
  readonly #knownRow: KnownRow | undefined
  readonly #width: number
  /** While the statement is called. */
  #nowMs = 0

  constructor(statement: Insert, rows: number, models: Models, knownRow: KnownRow | undefined) {
    const { columns, leading, returning } = statement
    this.rows = rows
    this.#knownRow = knownRow
    this.#width = columns.length
    const known = knownRow !== undefined
    // The time is one more value that is known.
    const given = columns.map(({ column }) => ({ column, value: 'given' as const }))
    const asked = known ? [] : returning
    this.#compiled = compileStatement({ ...statement, columns: given, returning: asked }, models, sqliteDialect, rows)
    const { bindings, outputs } = this.#compiled
    this.#readRow = outputs.length === 0 ? undefined : rowReader(outputs)
    const isNow = ({ parameter }: Binding) =>
      parameter >= leading && columns[(parameter - leading) % columns.length]?.value === 'now'
    const timed = bindings.map((binding) =>
      isNow(binding) ? { ...binding, encode: (plusMs: unknown) => storedTime(plusMs, this.#nowMs) } : binding,
    )
    this.#call = rowsCallerOf(outputs.length === 0 ? 'run' : 'all', timed, leading)
  }

  /** Inserts the rows that begin at a place among the parameters. */
  run(connection: SqliteConnection, parameters: readonly unknown[], at: number, nowMs: number, into: Inserted): void {
    this.#nowMs = nowMs
    const done = this.#call(connection.statement(this.#compiled), parameters, at)
    if (this.#readRow !== undefined) {
      for (const values of done as unknown[][]) into.rows.push(this.#readRow(values))
      into.count = into.rows.length
      return
    }
    const { changes, lastInsertRowid } = done as { changes: number | bigint; lastInsertRowid: number | bigint }
    into.count += Number(changes)
    if (this.#knownRow === undefined) return
    // One writer at a time: the rows of one statement are counted without a gap.
    const first = Number(lastInsertRowid) - this.rows + 1
    for (let row = 0; row < this.rows; row++)
      into.rows.push(this.#knownRow(parameters, at + row * this.#width, this.#nowMs, first + row))
  }
}
