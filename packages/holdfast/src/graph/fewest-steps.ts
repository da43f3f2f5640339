import { compareText } from '../statement/index.ts'
import type { GraphContext } from './context.ts'
import type { Route } from './route.ts'
import { type Ask, asking, backwards, edgesFrom, type Following, type Found } from './walk.ts'

/** Where no more nodes than this wait at both ends, their edges are asked for together: the other end's turn will mostly come. */
const FEW_WAITING = 32

/** A search from one end: every node it has seen, in the order of seeing, and where each was come to from. */
class Side {
  readonly #ask: Ask
  readonly #places: Map<string, number>
  readonly #ids: string[]
  /** The node before each; the end itself has none. */
  readonly #before: (string | undefined)[] = [undefined]
  /** Where the nodes that were seen last begin. */
  #level = 0
  #asked: Promise<Found> | undefined

  constructor(context: GraphContext, following: Following, end: string) {
    this.#ask = asking(context, following, 'near')
    this.#places = new Map([[end, 0]])
    this.#ids = [end]
  }

  /** How many nodes wait. */
  get waiting(): number {
    return this.#ids.length - this.#level
  }

  has(id: string): boolean {
    return this.#places.has(id)
  }

  /** Asks for the edges that lead on from few nodes, ahead of `goOn`. */
  ask(): Promise<Found> {
    this.#asked ??= this.#ask(this.#ids.slice(this.#level))
    return this.#asked
  }

  /** Goes one level further and gives the nodes seen there; where several lead to one, the first by id counts. */
  async goOn(): Promise<readonly string[]> {
    const [ids, places, before] = [this.#ids, this.#places, this.#before]
    const edges = this.#asked === undefined ? edgesFrom(this.#ask, ids.slice(this.#level)) : [this.#asked]
    this.#asked = undefined
    this.#level = ids.length
    for await (const answers of edges) {
      for (const [[near, far], rows] of answers) {
        for (const row of rows) {
          const reached = row[far] as string
          const known = places.get(reached)
          if (known === undefined) {
            places.set(reached, ids.push(reached) - 1)
            before.push(row[near] as string)
          } else if (known >= this.#level && isFirst(row[near] as string, before[known] as string)) {
            before[known] = row[near] as string
          }
        }
      }
    }
    return ids.slice(this.#level)
  }

  /** From a node back to the end that the search came from. */
  chain(id: string): string[] {
    const chain: string[] = []
    for (let at: string | undefined = id; at !== undefined; at = this.#before[this.#places.get(at) as number])
      chain.push(at)
    return chain
  }
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
  const start = new Side(context, following, from)
  const end = new Side(context, backwards(following), to)
  while (start.waiting > 0 && end.waiting > 0) {
    const [side, other] = start.waiting <= end.waiting ? [start, end] : [end, start]
    // Nothing is left under way when this is done.
    if (Math.max(start.waiting, end.waiting) <= FEW_WAITING) await Promise.all([side.ask(), other.ask()])
    let meeting: string | undefined
    for (const id of await side.goOn())
      if (other.has(id) && (meeting === undefined || isFirst(id, meeting))) meeting = id
    // All meetings of a level lie on paths of the same length: a shorter one would have met before.
    if (meeting === undefined) continue
    const ids = [...start.chain(meeting).reverse(), ...end.chain(meeting).slice(1)]
    return { ids, cost: ids.length - 1 }
  }
  return null
}

function isFirst(left: string, right: string): boolean {
  return compareText(left, right) < 0
}
