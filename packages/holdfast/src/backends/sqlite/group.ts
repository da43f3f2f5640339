import type { Call, Result, Settled } from '../../backend/index.ts'
import type { SqliteConnection } from './connection.ts'
import type { Failures } from './failures.ts'
import { InsertPlan } from './insert-plan.ts'
import type { WritePlan } from './prepare.ts'
import { runWhole } from './unit.ts'

/**
 * Runs independent writes inside one open transaction: a statement that fails undoes only itself. Rows that several calls insert
 * share a statement; where one of them is refused, each is tried by itself.
 *
 * @returns the outcomes so far; fewer than there are calls when SQLite gave the transaction up (on a full disk, for example), and
 *   then none of them took effect.
 */
export function runInGroup(calls: readonly Call[], connection: SqliteConnection, failures: Failures): Settled[] {
  const outcomes: Settled[] = []
  while (outcomes.length < calls.length) {
    const { plan } = calls[outcomes.length] as Call
    const fits = plan instanceof InsertPlan ? plan.fitsTogether(calls, outcomes.length) : 1
    const next = calls.slice(outcomes.length, outcomes.length + fits)
    const results = fits > 1 ? runTogether(plan as InsertPlan, next, connection) : undefined
    if (results !== undefined) {
      for (const result of results) outcomes.push({ result })
      continue
    }
    for (const call of next) {
      const outcome = connection.database.inTransaction ? runOne(call, connection, failures) : undefined
      if (outcome === undefined) return outcomes
      outcomes.push(outcome)
    }
  }
  return outcomes
}

/** Runs calls by one statement; nothing is done, and nothing given back, where that failed. */
function runTogether(plan: InsertPlan, calls: readonly Call[], connection: SqliteConnection): Result[] | undefined {
  try {
    return plan.runTogether(connection, calls)
  } catch {
    // Which of them is at fault, and of what, comes out when each is run by itself.
    return undefined
  }
}

/** Runs one call; gives nothing back where SQLite gave the transaction up. */
function runOne({ plan, parameters }: Call, connection: SqliteConnection, failures: Failures): Settled | undefined {
  const own = plan as WritePlan
  const { database } = connection
  try {
    return { result: runWhole(own, connection, parameters) }
  } catch (error) {
    if (!database.inTransaction) return undefined
    return { error: failures.translate(error, { statement: own.statement, parameters, database }) }
  }
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
