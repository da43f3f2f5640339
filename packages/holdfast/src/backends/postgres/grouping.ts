import type { Result, Settled } from '../../backend/index.ts'
import type { Cells } from './driver.ts'
import type { Reply, Request } from './exchange.ts'
import type { PostgresPlan } from './plan.ts'

/** A call of a plan of ours. */
export interface OwnCall {
  readonly plan: PostgresPlan
  readonly parameters: readonly unknown[]
}

/** How the calls of a group run as one. */
export interface Together {
  readonly requests: readonly Request[]
  /** The outcomes of the calls, in order. */
  outcomes(replies: readonly Reply[]): Settled[]
}

/** How many writes of different plans are sent together; all hold their locks until the last one is done. */
const MAX_TOGETHER = 128
/** Inserts of more rows run alone: they would hold up the others. */
const MAX_ROWS = 100

/**
 * Sorts calls into groups: selects of one plan, inserts of one plan, and all other writes. Inserts that are alone with their plan go
 * with the other writes, for one commit is cheaper than two.
 */
export function groupsOf(calls: readonly OwnCall[]): OwnCall[][] {
  const byPlan = new Map<PostgresPlan, OwnCall[]>()
  const groups: OwnCall[][] = []
  const others: OwnCall[] = []
  for (const call of calls) {
    const { plan } = call
    if (isLong(call)) groups.push([call])
    else if (plan.writes && !insertsOnly(plan)) others.push(call)
    else if (byPlan.get(plan)?.push(call) === undefined) byPlan.set(plan, [call])
  }
  for (const group of byPlan.values()) {
    if (group.length === 1 && group[0]?.plan.writes === true) others.push(...group)
    else groups.push(group)
  }
  for (let from = 0; from < others.length; from += MAX_TOGETHER) groups.push(others.slice(from, from + MAX_TOGETHER))
  return groups
}

function insertsOnly({ statement }: PostgresPlan): boolean {
  return statement.kind === 'insert' && statement.onConflict === undefined
}

function isLong({ plan, parameters }: OwnCall): boolean {
  return plan.rows !== undefined && plan.rows.count(parameters) > MAX_ROWS
}

/**
 * How a group, or a part of one, runs as one.
 *
 * @param guard comes before writes.
 */
export function together(calls: readonly OwnCall[], guard: Request): Together {
  const [{ plan }] = calls as readonly [OwnCall]
  if (!plan.writes) return lookupTogether(plan, calls)
  const sameInsert = insertsOnly(plan) && calls.every((call) => call.plan === plan)
  return sameInsert ? insertTogether(plan, calls, guard) : writeTogether(calls, guard)
}

function lookupTogether(plan: PostgresPlan, calls: readonly OwnCall[]): Together {
  const { lookup } = plan
  return {
    requests: [lookup.request(calls.map(({ parameters }) => parameters))],
    outcomes: ([reply]) =>
      lookup.found(reply as Reply, calls.length).map((rows) => settle(() => readResult(plan, rows))),
  }
}

function readResult(plan: PostgresPlan, rows: readonly Cells[]): Result {
  return { rows: plan.read(rows), count: rows.length }
}

/** The rows of all calls as those of one. */
function insertTogether(plan: PostgresPlan, calls: readonly OwnCall[], guard: Request): Together {
  return {
    requests: [guard, ...plan.requests(calls.flatMap(({ parameters }) => parameters))],
    outcomes: (replies) => {
      const returned = replies.slice(1).flatMap(({ rows }) => rows)
      let next = 0
      return calls.map(({ parameters }) => {
        const count = plan.rows?.count(parameters) ?? 0
        const from = next
        next += count
        return settle(() => ({ rows: plan.read(returned.slice(from, next)), count }))
      })
    },
  }
}

/** One request after the other, in one transaction. */
function writeTogether(calls: readonly OwnCall[], guard: Request): Together {
  const requests = calls.map(({ plan, parameters }) => plan.requests(parameters))
  return {
    requests: [guard, ...requests.flat()],
    outcomes: (replies) => {
      let next = 1
      return calls.map(({ plan }, index) => {
        const from = next
        next += requests[index]?.length ?? 0
        return settle(() => plan.result(replies.slice(from, next)))
      })
    },
  }
}

/** A row that cannot be decoded is the error of the call that reads it, not of the others. */
function settle(read: () => Result): Settled {
  try {
    return { result: read() }
  } catch (error) {
    return { error }
  }
}
