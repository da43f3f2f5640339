import type { Plan, ReadRow, Result, Row } from '../../backend/index.ts'
import type { Models } from '../../schema/index.ts'
import { accessOf, type Select } from '../../statement/index.ts'
import { type Compiled, compileStatement, rowReader, sqliteDialect } from '../sql/index.ts'
import { type Caller, callerOf } from './calling.ts'
import type { SqliteConnection } from './connection.ts'
import { Weight } from './weight.ts'

/** Reads. */
export class ReadPlan implements Plan {
  readonly statement: Select
  readonly writes = false
  /** Reads are synchronous here: running them together gains nothing. */
  readonly gathers = false
  readonly compiled: Compiled
  readonly readRow: ReadRow
  /** Whether it finds one row at most, by a key. */
  readonly single: boolean
  readonly weight: Weight
  readonly #call: Caller
  readonly #iterate: Caller

  constructor(statement: Select, models: Models) {
    this.statement = statement
    this.compiled = compileStatement(statement, models, sqliteDialect)
    this.readRow = rowReader(this.compiled.outputs)
    const access = accessOf(statement, models)
    const byKey =
      (access.kind === 'key' || access.kind === 'unique') &&
      access.pins.every(({ condition }) => condition.kind !== 'in')
    this.single = byKey && statement.joins.length === 0
    this.weight = new Weight(statement, access, models)
    this.#call = callerOf(this.single ? 'get' : 'all', this.compiled.bindings)
    this.#iterate = callerOf('iterate', this.compiled.bindings)
  }

  run(connection: SqliteConnection, parameters: readonly unknown[]): Result {
    const read = this.#call(connection.statement(this.compiled), parameters)
    if (this.single)
      return read === undefined ? { rows: [], count: 0 } : { rows: [this.readRow(read as unknown[])], count: 1 }
    return readAll(read as unknown[], this.readRow)
  }

  /** The rows one by one, as lists of their values. */
  iterate(connection: SqliteConnection, parameters: readonly unknown[]): IterableIterator<unknown> {
    // A statement of its own: one that is being read from cannot be executed again.
    const statement = connection.database.prepareRead(this.compiled.text)
    return this.#iterate(statement, parameters) as IterableIterator<unknown>
  }
}

/** Makes rows of the lists that the driver read, in place. */
export function readAll(lists: unknown[], readRow: ReadRow): Result {
  for (let index = 0; index < lists.length; index++) lists[index] = readRow(lists[index] as unknown[])
  return { rows: lists as Row[], count: lists.length }
}
