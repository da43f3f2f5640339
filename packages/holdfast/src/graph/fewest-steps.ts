import { compareText } from '../statement/index.ts'
import type { GraphContext } from './context.ts'
import type { Route } from './route.ts'
import { backwards, edgesFrom, type Following } from './walk.ts'

/** A search from one end. */
interface Side {
  readonly end: string
  readonly following: Following
  /** Every node seen, with the one it was come to from; the end itself with undefined. */
  readonly seen: Map<string, string | undefined>
  /** The nodes that were seen last. */
  level: readonly string[]
}

/**
 * A path of the fewest edges: breadth first from both ends, always on from the end where fewer nodes wait, one statement a level for each way.
 * Two balls of half the radius hold far fewer nodes than one. Of several such paths it is the same one on every backend.
 */
export async function fewestSteps(
  context: GraphContext,
  following: Following,
  from: string,
  to: string,
): Promise<Route | null> {
  if (from === to) return { ids: [from], cost: 0 }
  const start: Side = { end: from, following, seen: new Map([[from, undefined]]), level: [from] }
  const end: Side = { end: to, following: backwards(following), seen: new Map([[to, undefined]]), level: [to] }
  while (start.level.length > 0 && end.level.length > 0) {
    const [side, other] = start.level.length <= end.level.length ? [start, end] : [end, start]
    await goOn(context, side)
    const meetings = side.level.filter((id) => other.seen.has(id))
    // All meetings of a level lie on paths of the same length: a shorter one would have met before.
    if (meetings.length > 0) return routeThrough(meetings.reduce(first), start, end)
  }
  return null
}

/** Goes one level further; where several nodes lead to one, the first by id counts. */
async function goOn(context: GraphContext, side: Side): Promise<void> {
  const { seen } = side
  const level = new Set<string>()
  for await (const answers of edgesFrom(context, side.following, side.level, 'near')) {
    for (const [[near, far], rows] of answers) {
      for (const row of rows) {
        const reached = row[far] as string
        const from = row[near] as string
        const known = seen.get(reached)
        if (known === undefined && reached !== side.end) {
          level.add(reached)
          seen.set(reached, from)
        } else if (level.has(reached)) seen.set(reached, first(known as string, from))
      }
    }
  }
  side.level = [...level]
}

function first(left: string, right: string): string {
  return compareText(left, right) <= 0 ? left : right
}

function routeThrough(meeting: string, start: Side, end: Side): Route {
  const ids = [...chain(meeting, start).toReversed(), ...chain(meeting, end).slice(1)]
  return { ids, cost: ids.length - 1 }
}

/** From a node back to the end that the search came from. */
function chain(id: string, { seen }: Side): string[] {
  const ids: string[] = []
  for (let at: string | undefined = id; at !== undefined; at = seen.get(at)) ids.push(at)
  return ids
}
