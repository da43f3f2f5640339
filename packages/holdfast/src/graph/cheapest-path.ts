import TinyQueue from 'tinyqueue'
import type { Row } from '../backend/index.ts'
import { ValidationError } from '../base/errors.ts'
import { describe } from '../schema/index.ts'
import { compareText } from '../statement/index.ts'
import type { GraphContext } from './context.ts'
import type { Route } from './route.ts'
import { type Ask, asking, edgesFrom, type Following } from './walk.ts'

/** What an edge costs: the name of a number in its data, or a function of the edge. */
export type Weight = string | ((edge: never) => number)

/** A node that waits, and the cheapest way to it known so far. */
interface Stop {
  readonly id: string
  readonly cost: number
}

/** An edge that leads on. */
interface Link {
  readonly to: string
  readonly edge: string
  readonly cost: number
}

/** An edge that was read: where it leads, and what is known of it. */
interface Found {
  readonly to: string
  readonly row: Row
}

/** The cheapest way to a node: the node before it, and the edge from there. */
interface Arrival {
  readonly cost: number
  readonly before: string
  readonly edge: string
}

/** How many nodes' edges are read ahead at most. */
const MOST_AHEAD = 512
/** How many of those that wait are looked at for that. */
const MOST_LOOKED = 4 * MOST_AHEAD

/**
 * A path of the smallest sum of weights, by Dijkstra's algorithm. The edges of a node are read together with those of the nodes that will most
 * likely be next, twice as many each time, so that a search through thousands of nodes takes some dozen statements. Of several paths that cost
 * the same it is the same one on every backend.
 *
 * @throws ValidationError for an edge on the way without a weight, or with one below 0.
 */
export async function cheapestPath(
  context: GraphContext,
  following: Following,
  from: string,
  to: string,
  weight: Weight,
): Promise<Route | null> {
  const waiting = new TinyQueue<Stop>([{ id: from, cost: 0 }], byCost)
  const arrivals = new Map<string, Arrival>()
  const settled = new Set<string>()
  const links = new LinksAhead(context, following, weight)
  for (let stop = waiting.pop(); stop !== undefined; stop = waiting.pop()) {
    const { id, cost } = stop
    if (settled.has(id)) continue
    settled.add(id)
    if (id === to) return routeTo(to, from, cost, arrivals)
    for (const link of await links.of(id, waiting.data, settled)) {
      if (settled.has(link.to)) continue
      const known = arrivals.get(link.to)
      const sum = cost + link.cost
      const cheaper = known === undefined || sum < known.cost
      // The node before is settled, so a step that costs nothing cannot close a cycle.
      if (cheaper || (sum === known.cost && compareText(link.edge, known.edge) < 0))
        arrivals.set(link.to, { cost: sum, before: id, edge: link.edge })
      if (cheaper) waiting.push({ id: link.to, cost: sum })
    }
  }
  return null
}

/** Ties are broken by id, so that every backend goes the same way. */
function byCost(left: Stop, right: Stop): number {
  return left.cost - right.cost || compareText(left.id, right.id)
}

function routeTo(to: string, from: string, cost: number, arrivals: ReadonlyMap<string, Arrival>): Route {
  const [ids, edges]: [string[], string[]] = [[to], []]
  for (let at = to; at !== from; at = ids.at(-1) as string) {
    const { before, edge } = arrivals.get(at) as Arrival
    ids.push(before)
    edges.push(edge)
  }
  return { ids: ids.reverse(), edges: edges.reverse(), cost }
}

/** The edges of nodes, read ahead of the search. */
class LinksAhead {
  readonly #context: GraphContext
  readonly #ask: Ask
  readonly #weight: Weight
  readonly #found = new Map<string, Found[]>()
  #ahead = 1

  constructor(context: GraphContext, following: Following, weight: Weight) {
    this.#context = context
    this.#ask = asking(context, following, typeof weight === 'string' ? { weight } : 'all')
    this.#weight = weight
  }

  /** The edges of a node; each is asked for once, and weighed only now. `waiting` are the nodes that may be next. */
  async of(id: string, waiting: readonly Stop[], settled: ReadonlySet<string>): Promise<readonly Link[]> {
    if (!this.#found.has(id)) {
      await this.#read([id, ...this.#likelyNext(waiting, settled)])
      this.#ahead = Math.min(this.#ahead * 2, MOST_AHEAD)
    }
    const found = this.#found.get(id) ?? []
    this.#found.delete(id)
    return found.map(({ to, row }) => ({ to, edge: row['id'] as string, cost: this.#costOf(row) }))
  }

  /** The first of the waiting nodes whose edges are not read yet. Only the top of the heap is looked at: many may wait behind a hub. */
  #likelyNext(heap: readonly Stop[], settled: ReadonlySet<string>): Set<string> {
    const next = new Set<string>()
    const places = new TinyQueue<number>([0], (left, right) => byCost(heap[left] as Stop, heap[right] as Stop))
    for (let looked = 0; next.size < this.#ahead - 1 && looked < MOST_LOOKED; looked++) {
      const place = places.pop()
      if (place === undefined) break
      const stop = heap[place]
      if (stop === undefined) continue
      for (const child of [2 * place + 1, 2 * place + 2]) if (child < heap.length) places.push(child)
      if (!settled.has(stop.id) && !this.#found.has(stop.id)) next.add(stop.id)
    }
    return next
  }

  async #read(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#found.set(id, [])
    for await (const answers of edgesFrom(this.#ask, ids)) {
      for (const [[near, far], rows] of answers) {
        for (const row of rows) this.#found.get(row[near] as string)?.push({ to: row[far] as string, row })
      }
    }
  }

  #costOf(row: Row): number {
    const weight = this.#weight
    const cost = typeof weight === 'string' ? row['weight'] : weight(row as never)
    if (Number.isFinite(cost) && (cost as number) >= 0) return cost as number
    const reason = `must be a number from 0 on for every edge, and is ${describe(cost)} for the edge ${row['id']}`
    throw new ValidationError(`A path through ${this.#context.name} was refused`, [{ path: 'weight', reason }])
  }
}
