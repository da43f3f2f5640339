import type { Models } from '../../schema/index.ts'
import type { Delete, Statement } from '../../statement/index.ts'
import { CascadingDeletePlan, deletionReturnsTo } from './cascading-delete.ts'
import { ChangePlan } from './change-plan.ts'
import { DeletionOfKeys, keyListOf } from './deletion-of-keys.ts'
import { InsertPlan } from './insert-plan.ts'
import { MovingDeletePlan } from './moving-delete.ts'
import { ReadPlan } from './plan.ts'

/** A statement made ready for SQLite. */
export type SqlitePlan = ReadPlan | WritePlan

/** A statement that writes. */
export type WritePlan = ChangePlan | CascadingDeletePlan | DeletionOfKeys | MovingDeletePlan | InsertPlan

/** Makes a statement ready. */
export function prepareStatement(statement: Statement, models: Models): SqlitePlan {
  switch (statement.kind) {
    case 'select':
      return new ReadPlan(statement, models)
    case 'insert':
      return new InsertPlan(statement, models)
    case 'update':
      return new ChangePlan(statement, models)
    case 'delete': {
      const { into, ...deletion } = statement
      const deleting = prepareDelete(deletion, models)
      return into === undefined ? deleting : new MovingDeletePlan({ ...statement, into }, deleting, models)
    }
  }
}

function prepareDelete(statement: Delete, models: Models): ChangePlan | CascadingDeletePlan | DeletionOfKeys {
  if (deletionReturnsTo(statement.model, models)) return new CascadingDeletePlan(statement, models)
  const keys = keyListOf(statement, models)
  return keys === undefined ? new ChangePlan(statement, models) : new DeletionOfKeys(statement, keys, models)
}
