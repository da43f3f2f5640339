import type { Plan, Result } from '../../backend/index.ts'
import type { Model, Models } from '../../schema/index.ts'
import type { Delete, Select } from '../../statement/index.ts'
import { ChangePlan } from './change-plan.ts'
import type { SqliteConnection } from './connection.ts'
import { ReadPlan } from './plan.ts'

/**
 * Deletes rows whose foreign keys lead to other rows of the same model. SQLite neither counts nor gives back a row that a cascade
 * removed before its turn came, so the rows are read first.
 */
export class CascadingDeletePlan implements Plan {
  readonly statement: Delete
  readonly writes = true
  readonly gathers = true
  readonly #victims: ReadPlan
  readonly #deletion: ChangePlan

  constructor(statement: Delete, models: Models) {
    this.statement = statement
    this.#victims = new ReadPlan(victimsOf(statement, models), models)
    this.#deletion = new ChangePlan({ ...statement, returning: [] }, models)
  }

  /** Always two. */
  takesSeveral(): boolean {
    return true
  }

  run(connection: SqliteConnection, parameters: readonly unknown[]): Result {
    const { rows, count } = this.#victims.run(connection, parameters)
    this.#deletion.run(connection, parameters)
    return { rows: this.statement.returning.length === 0 ? [] : rows, count }
  }
}

function victimsOf({ model, where, orderBy, limit, returning }: Delete, models: Models): Select {
  const names = returning.length > 0 ? returning : (models.get(model) as Model).primaryKey
  return {
    kind: 'select',
    model,
    joins: [],
    outputs: names.map((name) => ({ kind: 'field', name, field: { source: 0, column: name, path: [] } })),
    orderBy,
    ...(where !== undefined && { where }),
    ...(limit !== undefined && { limit }),
  }
}

/** Whether deleting a row may, by way of foreign keys, change other rows of its model. */
export function deletionReturnsTo(name: string, models: Models): boolean {
  const reached = new Set<string>()
  const waiting = [name]
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const { name: referring, foreignKeys } of models.values()) {
      if (!foreignKeys.some(({ model, onDelete }) => model === at && onDelete !== 'restrict')) continue
      if (referring === name) return true
      if (!reached.has(referring)) waiting.push(referring)
      reached.add(referring)
    }
  }
  return false
}
