import type { Call, Result, Settled } from '../../backend/index.ts'
import type { SqliteConnection } from './connection.ts'
import type { Failures } from './failures.ts'
import type { WritePlan } from './plan.ts'
import { runWhole } from './unit.ts'

/**
 * Runs independent writes inside one open transaction: a statement that fails undoes only itself.
 *
 * @returns the outcomes so far; fewer than there are calls when SQLite gave the transaction up (on a full disk, for example), and
 *   then none of them took effect.
 */
export function runInGroup(calls: readonly Call[], connection: SqliteConnection, failures: Failures): Settled[] {
  const outcomes: Settled[] = []
  for (const { plan, parameters } of calls) {
    const own = plan as WritePlan
    try {
      outcomes.push({ result: runWhole(own, connection, parameters) })
    } catch (error) {
      if (!connection.database.inTransaction) return outcomes
      outcomes.push({
        error: failures.translate(error, { statement: own.statement, parameters, database: connection.database }),
      })
    }
  }
  return outcomes
}

/** Runs calls one by one, each for itself. */
export async function settleEach(calls: readonly Call[], execute: (call: Call) => Promise<Result>): Promise<Settled[]> {
  const outcomes: Settled[] = []
  for (const call of calls) {
    outcomes.push(
      await execute(call).then(
        (result) => ({ result }),
        (error: unknown) => ({ error }),
      ),
    )
  }
  return outcomes
}
