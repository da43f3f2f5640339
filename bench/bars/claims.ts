import { defineSchema, discard, openStorage, queue, type Storage } from 'holdfast'
import { probe } from '../harness/probe.ts'
import { type Spread, spreadOf } from '../harness/statistics.ts'
import type { Bar } from './bar.ts'

const LIMIT = 2
const WAITING = 1_000_000
const SCHEDULED = 100_000
const FAILED = 100_000
const TAKEN = 100
const ROUNDS = 40
const DAY_MS = 86_400_000

const schema = defineSchema({ work: queue<number>() })
type Queues = Storage<typeof schema>

/** Whether taking jobs costs more when there is more that is not taken. */
export const claims: Bar = {
  name: 'claims',
  title: `taking ${TAKEN} jobs where 1 M wait, 100 k are scheduled and 100 k have failed, to the time where there are no others`,
  limit: `within ${LIMIT} times`,
  async measure({ databases, nodeOptions }) {
    const server = await databases.postgres()
    const measure = async (empty: string, full: string) =>
      spreadOf(await probe<number[]>(import.meta.url, 'compareClaims', [empty, full], nodeOptions))
    const [few, many] = [databases.files.next('no-jobs'), databases.files.next('many-jobs')]
    const sqlite = await measure(`sqlite:${few}`, `sqlite:${many}`)
    const postgres = await measure(await server.createDatabase(), await server.createDatabase())
    return {
      pass: sqlite.median <= LIMIT && postgres.median <= LIMIT,
      measured: `SQLite ${shown(sqlite)}, Postgres ${shown(postgres)}`,
      detail: 'Postgres without statistics, as after a burst of jobs',
    }
  },
}

function shown({ median, low, high }: Spread): string {
  return `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`
}

/** Runs in a process of its own: both databases in turn. */
export async function compareClaims(empty: string, full: string): Promise<number[]> {
  await using few = await openStorage(empty, { schema, durability: 'relaxed' })
  await using many = await openStorage(full, { schema, durability: 'relaxed' })
  await fill(many)
  const growth: number[] = []
  for (let round = 0; round < ROUNDS + 5; round++) {
    await few.queue('work').enqueueMany(batch(TAKEN, round))
    const alone = await timeClaim(few)
    growth.push((await timeClaim(many)) / alone)
  }
  return growth.slice(5)
}

async function fill(storage: Queues): Promise<void> {
  const work = storage.queue('work')
  await enqueue(storage, FAILED)
  const worker = work.work(() => discard('of no use'), { batch: 500, concurrency: 2, mode: 'transaction' })
  while ((await work.stats()).failed < FAILED) await new Promise((resolve) => setTimeout(resolve, 250))
  await worker.stop()
  await enqueue(storage, SCHEDULED, DAY_MS)
  await enqueue(storage, WAITING)
}

async function enqueue(storage: Queues, count: number, delayMs = 0): Promise<void> {
  for (let first = 0; first < count; first += 2_000)
    await storage.queue('work').enqueueMany(batch(2_000, first, delayMs))
}

function batch(count: number, first: number, delayMs = 0): { data: number; delayMs: number }[] {
  return Array.from({ length: count }, (_, index) => ({ data: first + index, delayMs }))
}

async function timeClaim(storage: Queues): Promise<number> {
  const work = storage.queue('work')
  const started = performance.now()
  const jobs = await work.dequeueMany(TAKEN)
  const elapsed = performance.now() - started
  if (jobs.length !== TAKEN) throw new Error(`${jobs.length} jobs were taken`)
  await Promise.all(jobs.map((job) => work.acknowledge(job)))
  return elapsed
}
