import { defineSchema, graph, openStorage } from 'holdfast'
import { Stopwatch } from '../harness/timing.ts'
import type { ByHand, Edge } from './by-hand.ts'
import { openPostgres } from './postgres-by-hand.ts'
import { openSqlite } from './sqlite-by-hand.ts'

const NODES = 10_000
const EDGES = 100_000
const DEPTH = 3
const ROUNDS = 9
const ROUND_MS = 150
const IMPORTS = 3

/** Takes any data: what a schema costs is not measured here. */
const anything = {
  '~standard': { version: 1, vendor: 'bench', validate: (value: unknown) => ({ value: value as object }) },
} as const

const schema = defineSchema({
  city: graph({ nodes: { person: anything, pet: anything }, relations: { follows: { from: 'person', to: 'person' } } }),
})

/** Milliseconds an operation, round by round: of Holdfast, and of each way by hand. */
export interface Contest {
  readonly holdfast: readonly number[]
  readonly byHand: Readonly<Record<string, readonly number[]>>
}

/** What was measured on one database. */
export interface GraphTimes {
  readonly neighbors: Contest
  readonly reach: Contest
  readonly path: Contest
  readonly bulkImport: Contest
}

/** Runs in a process of its own: the contestants take turns, round by round. `targets`: a database for walks, the others for imports. */
export async function measureGraph(targets: readonly string[]): Promise<GraphTimes> {
  const edges = randomEdges()
  const [first, ...others] = targets as [string, ...string[]]
  await using storage = await openStorage(first, { schema })
  const city = storage.graph('city')
  await addPeople(first)
  await city.connectMany(edges)
  const byHand = await openByHand(first)
  const times = {
    neighbors: await contest({ neighbors: (n) => byHand.neighbors(personAt(n)) }, (n) =>
      city.neighbors(personAt(n), { relation: 'follows' }),
    ),
    reach: await contest(
      {
        recursive: (n) => byHand.reachRecursive(personAt(n), DEPTH),
        'by level': (n) => byHand.reachByLevel(personAt(n), DEPTH),
      },
      (n) => city.traverse(personAt(n), { relations: 'follows', maxDepth: DEPTH }),
    ),
    path: await contest(
      {
        recursive: (n) => byHand.pathRecursive(personAt(n), personAt(n + 1)),
        'by level': (n) => byHand.pathByLevel(personAt(n), personAt(n + 1)),
      },
      (n) => city.shortestPath(personAt(n), personAt(n + 1), { relations: 'follows' }),
    ),
    bulkImport: await imports(others, edges),
  }
  await byHand.close()
  return times
}

async function contest(
  byHand: Readonly<Record<string, (n: number) => Promise<unknown>>>,
  holdfast: (n: number) => Promise<unknown>,
): Promise<Contest> {
  const watches = new Map(Object.entries({ ...byHand, holdfast }).map(([name, run]) => [name, new Stopwatch(run, 1)]))
  const times: Record<string, number[]> = {}
  for (let round = 0; round < ROUNDS + 1; round++) {
    for (const [name, watch] of watches) {
      const { operations, elapsedMs } = await watch.time(ROUND_MS)
      // The first round warms up.
      if (round > 0) times[name] = [...(times[name] ?? []), elapsedMs / operations]
    }
  }
  const { holdfast: own = [], ...others } = times
  return { holdfast: own, byHand: others }
}

async function imports(targets: readonly string[], edges: readonly Edge[]): Promise<Contest> {
  const [own, raw]: [number[], number[]] = [[], []]
  for (let round = 0; round < IMPORTS; round++) {
    const [mine, theirs] = targets.slice(round * 2) as [string, string]
    await addPeople(mine)
    await addPeople(theirs)
    await using storage = await openStorage(mine, { schema })
    own.push(await timed(() => storage.graph('city').connectMany(edges)))
    const byHand = await openByHand(theirs)
    raw.push(await timed(() => byHand.insertEdges(edges)))
    await byHand.close()
  }
  return { holdfast: own, byHand: { 'the driver': raw } }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

async function addPeople(target: string): Promise<void> {
  await using storage = await openStorage(target, { schema })
  const people = Array.from({ length: NODES }, (_, n) => ({
    id: `person-${n}`,
    data: { name: `Person ${n}`, age: n % 90 },
  }))
  await storage.graph('city').addNodes('person', people)
}

async function openByHand(target: string): Promise<ByHand> {
  return target.startsWith('sqlite:') ? openSqlite(target.slice('sqlite:'.length)) : openPostgres(target)
}

function personAt(n: number): string {
  return `person-${(n * 7_919) % NODES}`
}

/** The same edges each time, in no order. */
function randomEdges(): Edge[] {
  let state = 42
  const person = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return `person-${Math.floor((state / 2 ** 32) * NODES)}`
  }
  return Array.from({ length: EDGES }, () => ({ source: person(), relation: 'follows', target: person() }))
}
