import type { Plan, Result } from '../../backend/index.ts'
import type { Models } from '../../schema/index.ts'
import { type Compiled, compileCopying, type MovingDelete, sqliteDialect } from '../sql/index.ts'
import { type Caller, callerOf } from './calling.ts'
import type { CascadingDeletePlan } from './cascading-delete.ts'
import type { ChangePlan } from './change-plan.ts'
import type { SqliteConnection } from './connection.ts'
import { DeletionOfKeys } from './deletion-of-keys.ts'

/** Deletes rows and puts them into another table. In SQLite a delete is not part of another statement: the rows are copied first. */
export class MovingDeletePlan implements Plan {
  readonly statement: MovingDelete
  readonly writes = true
  readonly gathers = true
  readonly #compiled: Compiled
  readonly #copy: Caller
  readonly #deletion: ChangePlan | CascadingDeletePlan | DeletionOfKeys

  constructor(statement: MovingDelete, deletion: ChangePlan | CascadingDeletePlan | DeletionOfKeys, models: Models) {
    this.statement = statement
    this.#compiled = compileCopying(statement, models, sqliteDialect)
    this.#copy = callerOf('run', this.#compiled.bindings)
    this.#deletion = deletion
  }

  /** Always two. */
  takesSeveral(): boolean {
    return true
  }

  run(connection: SqliteConnection, parameters: readonly unknown[]): Result {
    const { changes } = this.#copy(connection.statement(this.#compiled), parameters) as { changes: number | bigint }
    const deletion = this.#deletion
    if (!(deletion instanceof DeletionOfKeys)) return deletion.run(connection, parameters)
    // What was copied is what will be deleted: whether it is all is known beforehand.
    const isAll = Number(changes) === deletion.keysIn(parameters).length
    return isAll ? deletion.runAll(connection, parameters) : deletion.tell(connection, parameters)
  }
}
