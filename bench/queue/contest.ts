import type { Databases } from '../harness/databases.ts'
import { probe } from '../harness/probe.ts'
import { type Spread, spreadOf } from '../harness/statistics.ts'
import type { Mode } from './job-queue.ts'
import type { QueuePlan, QueueRates } from './measure.ts'

/** A peer on a database. */
export interface Contender {
  /** What `--only` looks for. */
  readonly name: string
  readonly title: string
  readonly database: 'memory' | 'sqlite' | 'postgres'
  readonly peer: string
  readonly durability: 'full' | 'relaxed'
  readonly runJobs: number
  readonly modes: readonly Mode[]
}

const all: readonly Mode[] = ['lease', 'transaction', 'unleased']

/** Every row of the table of queues. plainjob sets `synchronous=normal` by itself, which is `relaxed`. */
export const contenders: readonly Contender[] = [
  holdfast('memory', 'full', 200_000),
  keepingNone(holdfast('memory', 'full', 200_000)),
  peer('sqlite', 'plainjob', 'relaxed', 10_000),
  holdfast('sqlite', 'relaxed', 100_000),
  keepingNone(holdfast('sqlite', 'relaxed', 100_000)),
  holdfast('sqlite', 'full', 100_000),
  peer('postgres', 'pg-boss', 'full', 20_000),
  peer('postgres', 'graphile-worker', 'full', 20_000),
  holdfast('postgres', 'full', 80_000),
  keepingNone(holdfast('postgres', 'full', 80_000)),
]

function holdfast(database: Contender['database'], durability: Contender['durability'], runJobs: number): Contender {
  const title = database === 'sqlite' ? `**Holdfast**, \`${durability}\`` : '**Holdfast**'
  const name = `queue-${database}-holdfast-${durability}`
  return { name, title, database, peer: 'holdfast', durability, runJobs, modes: all }
}

function keepingNone(contender: Contender): Contender {
  const [name, title] = [`${contender.name}-keeping-none`, `${contender.title}, keeping no completed jobs`]
  return { ...contender, name, title, peer: 'holdfast-keeping-none' }
}

function peer(
  database: Contender['database'],
  peer: string,
  durability: Contender['durability'],
  runJobs: number,
): Contender {
  return { name: `queue-${database}-${peer}`, title: peer, database, peer, durability, runJobs, modes: ['lease'] }
}

/** What was measured of a contender: jobs a second. */
export interface QueueResult {
  readonly contender: Contender
  readonly enqueue: Spread
  readonly enqueueMany: Spread
  readonly lease: Spread
  readonly transaction: Spread | null
  readonly unleased: Spread | null
}

/** Lets the contenders take turns, each time in a new process on a new database. */
export async function contest(
  wanted: readonly Contender[],
  rounds: number,
  addMs: number,
  databases: Databases,
): Promise<QueueResult[]> {
  const rates = new Map<Contender, QueueRates[]>(wanted.map((contender) => [contender, []]))
  for (let round = 0; round < rounds; round++) {
    for (const contender of wanted) {
      const { peer, durability, runJobs, modes } = contender
      const url = await urlOf(contender, databases)
      const plan: QueuePlan = { peer, runJobs, modes, addMs, target: { url, durability } }
      rates.get(contender)?.push(await probe(new URL('./measure.ts', import.meta.url).href, 'measureQueue', [plan]))
    }
  }
  return [...rates].map(([contender, all]) => ({
    contender,
    enqueue: spreadOf(all.map(({ enqueue }) => enqueue)),
    enqueueMany: spreadOf(all.map(({ enqueueMany }) => enqueueMany)),
    lease: spreadOf(all.map(({ lease }) => lease)),
    transaction: spreadOfSome(all.map(({ transaction }) => transaction)),
    unleased: spreadOfSome(all.map(({ unleased }) => unleased)),
  }))
}

/** Nothing for what a peer does not have. */
function spreadOfSome(rates: readonly (number | null)[]): Spread | null {
  const measured = rates.filter((rate) => rate !== null)
  return measured.length === 0 ? null : spreadOf(measured)
}

async function urlOf({ database }: Contender, databases: Databases): Promise<string> {
  if (database === 'memory') return 'memory:'
  if (database === 'sqlite') return `sqlite:${databases.files.next('queue')}`
  return (await databases.postgres()).createDatabase()
}
