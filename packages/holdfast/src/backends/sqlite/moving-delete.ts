import type { Plan, Result, Row } from '../../backend/index.ts'
import type { Model, Models } from '../../schema/index.ts'
import { type Compiled, compileCopying, type MovingDelete, sqliteDialect } from '../sql/index.ts'
import { type Caller, callerOf } from './calling.ts'
import type { CascadingDeletePlan } from './cascading-delete.ts'
import { ChangePlan } from './change-plan.ts'
import type { SqliteConnection } from './connection.ts'

/** Deletes rows and puts them into another table. In SQLite a delete is not part of another statement: the rows are copied first. */
export class MovingDeletePlan implements Plan {
  readonly statement: MovingDelete
  readonly writes = true
  readonly gathers = true
  readonly #compiled: Compiled
  readonly #copy: Caller
  readonly #deletion: ChangePlan | CascadingDeletePlan
  readonly #ofKeys: DeletionOfKeys | undefined

  constructor(statement: MovingDelete, deletion: ChangePlan | CascadingDeletePlan, models: Models) {
    this.statement = statement
    this.#compiled = compileCopying(statement, models, sqliteDialect)
    this.#copy = callerOf('run', this.#compiled.bindings)
    this.#deletion = deletion
    this.#ofKeys = deletion instanceof ChangePlan ? deletionOfKeys(statement, models) : undefined
  }

  /** Always two. */
  takesSeveral(): boolean {
    return true
  }

  run(connection: SqliteConnection, parameters: readonly unknown[]): Result {
    const { changes } = this.#copy(connection.statement(this.#compiled), parameters) as { changes: number | bigint }
    const ofKeys = this.#ofKeys
    const keys = ofKeys === undefined ? [] : (parameters[ofKeys.parameter] as readonly unknown[])
    // Where there were all of them, nothing is left to ask: what a delete gives back costs a quarter of it.
    if (ofKeys === undefined || Number(changes) !== keys.length) return this.#deletion.run(connection, parameters)
    ofKeys.deletion.run(connection, parameters)
    return { rows: keys.map((key): Row => ({ [ofKeys.column]: key })), count: keys.length }
  }
}

/** A delete of the rows whose keys are given, which gives nothing back. */
interface DeletionOfKeys {
  readonly deletion: ChangePlan
  readonly column: string
  /** Which parameter is the list of the keys. */
  readonly parameter: number
}

/** The deletion where the keys of the rows are given, and nothing else is asked back; undefined for others. */
function deletionOfKeys(statement: MovingDelete, models: Models): DeletionOfKeys | undefined {
  const { model, where, returning } = statement
  const { primaryKey, byName } = models.get(model) as Model
  const [column = ''] = primaryKey
  if (primaryKey.length > 1 || returning.join() !== column || byName.get(column)?.type !== 'uuid') return undefined
  const conditions = where?.kind === 'and' ? where.conditions : []
  const given = conditions.find((one) => one.kind === 'in' && one.field.column === column)
  if (given?.kind !== 'in') return undefined
  const { into: _, ...deleted } = statement
  return { deletion: new ChangePlan({ ...deleted, returning: [] }, models), column, parameter: given.parameter }
}
