import type { Plan, Result, Row } from '../../backend/index.ts'
import type { Model, Models } from '../../schema/index.ts'
import { type Delete, factsOf } from '../../statement/index.ts'
import { ChangePlan } from './change-plan.ts'
import type { SqliteConnection } from './connection.ts'

/** From how many keys on it pays to be able to undo the delete. */
const MANY = 64

/**
 * Deletes rows by a list of their keys and gives those keys back. SQLite puts what a delete gives back into a table first, which takes a third
 * of it; where as many rows went as there were keys, nothing is left to ask.
 */
export class DeletionOfKeys implements Plan {
  readonly statement: Delete
  readonly writes = true
  readonly gathers = true
  readonly #column: string
  readonly #parameter: number
  readonly #counting: ChangePlan
  readonly #telling: ChangePlan

  constructor(statement: Delete, { column, parameter }: KeyList, models: Models) {
    this.statement = statement
    this.#column = column
    this.#parameter = parameter
    this.#counting = new ChangePlan({ ...statement, returning: [] }, models)
    this.#telling = new ChangePlan(statement, models)
  }

  /** Perhaps two, the first of which is undone. */
  takesSeveral(parameters: readonly unknown[]): boolean {
    return this.keysIn(parameters).length >= MANY
  }

  run(connection: SqliteConnection, parameters: readonly unknown[]): Result {
    if (!this.takesSeveral(parameters)) return this.tell(connection, parameters)
    const { database } = connection
    database.exec('savepoint deletion')
    const deleted = this.#runCounting(connection, parameters)
    if (deleted === undefined) database.exec('rollback to deletion')
    database.exec('release deletion')
    return deleted ?? this.tell(connection, parameters)
  }

  /** The same outside a transaction: to undo a whole one, SQLite need not remember how each page was. */
  runAlone(connection: SqliteConnection, parameters: readonly unknown[]): Result {
    connection.begin()
    const deleted = this.#runCounting(connection, parameters)
    if (deleted === undefined) {
      connection.rollback()
      return this.tell(connection, parameters)
    }
    connection.commit()
    return deleted
  }

  /** The keys in a call's parameters. */
  keysIn(parameters: readonly unknown[]): readonly unknown[] {
    return parameters[this.#parameter] as readonly unknown[]
  }

  /** Deletes rows all of which are known to be there. */
  runAll(connection: SqliteConnection, parameters: readonly unknown[]): Result {
    const { count } = this.#counting.run(connection, parameters)
    return { rows: this.keysIn(parameters).map((key): Row => ({ [this.#column]: key })), count }
  }

  /** Deletes; undefined where it were not as many as there are keys, so that nobody knows which. */
  #runCounting(connection: SqliteConnection, parameters: readonly unknown[]): Result | undefined {
    const deleted = this.runAll(connection, parameters)
    return deleted.count === deleted.rows.length ? deleted : undefined
  }

  /** Deletes, and asks which. */
  tell(connection: SqliteConnection, parameters: readonly unknown[]): Result {
    return this.#telling.run(connection, parameters)
  }
}

/** The column of a key, and which parameter is the list of those whose rows are to go. */
interface KeyList {
  readonly column: string
  readonly parameter: number
}

/** The list that a delete is given, where it gives back nothing but the keys; undefined for other deletes. */
export function keyListOf({ model, where, limit, returning }: Delete, models: Models): KeyList | undefined {
  const { primaryKey, byName } = models.get(model) as Model
  const [column = ''] = primaryKey
  if (primaryKey.length > 1 || returning.join() !== column || byName.get(column)?.type !== 'uuid') return undefined
  const given = factsOf(where).list({ column, path: [] })
  return given?.kind === 'in' && limit === undefined ? { column, parameter: given.parameter } : undefined
}
