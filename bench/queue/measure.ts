import type { Target } from '../peers/store.ts'
import type { JobQueue, Mode, Payload, QueueModule } from './job-queue.ts'

/** What one process measures of a queue. */
export interface QueuePlan {
  readonly peer: string
  readonly target: Target
  /** How long to add jobs, one by one and in batches. */
  readonly addMs: number
  /** How many jobs to run; peers differ by a factor of fifty. */
  readonly runJobs: number
  readonly modes: readonly Mode[]
}

/** Jobs a second. */
export interface QueueRates {
  readonly enqueue: number
  readonly enqueueMany: number
  readonly lease: number
  readonly transaction: number | null
  readonly unleased: number | null
}

/** Callers that add jobs side by side. */
const CALLERS = 100
/** Jobs that one `enqueueMany` adds. */
const BATCH = 1_000

/** Runs in a process of its own. What is added last stays there. */
export async function measureQueue({ peer, target, addMs, runJobs, modes }: QueuePlan): Promise<QueueRates> {
  const { open } = (await import(`./peers/${peer}.ts`)) as QueueModule
  const queue = await open(target)
  await warmUp(queue, addMs / 4, runJobs / 2, modes)
  const rates = { lease: 0, transaction: null as number | null, unleased: null as number | null }
  for (const mode of modes) {
    const jobs = await addUntil(queue, runJobs)
    rates[mode] = await timed(async () => {
      await queue.run(jobs, mode)
      return jobs
    })
  }
  const enqueue = await timed(() => addOneByOne(queue, addMs))
  const enqueueMany = await timed(() => addBatches(queue, addMs))
  await queue.close()
  return { enqueue, enqueueMany, ...rates }
}

/** Until the code is compiled, which takes a process longer than many jobs do: queues run for weeks. */
async function warmUp(queue: JobQueue, addMs: number, runJobs: number, modes: readonly Mode[]): Promise<void> {
  const added = await addOneByOne(queue, addMs)
  await queue.run(added, 'lease')
  for (const mode of modes) await queue.run(await addUntil(queue, runJobs), mode)
}

async function timed(work: () => Promise<number>): Promise<number> {
  globalThis.gc?.()
  const started = performance.now()
  const jobs = await work()
  return jobs / ((performance.now() - started) / 1000)
}

async function addOneByOne(queue: JobQueue, forMs: number): Promise<number> {
  const end = performance.now() + forMs
  let added = 0
  const caller = async () => {
    while (performance.now() < end) await queue.enqueue({ n: added++ })
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  return added
}

async function addBatches(queue: JobQueue, forMs: number): Promise<number> {
  const end = performance.now() + forMs
  let added = 0
  for (; performance.now() < end; added += BATCH) await queue.enqueueMany(payloads(added))
  return added
}

function payloads(first: number): Payload[] {
  return Array.from({ length: BATCH }, (_, index) => ({ n: first + index }))
}

async function addUntil(queue: JobQueue, jobs: number): Promise<number> {
  let added = 0
  for (; added < jobs; added += BATCH) await queue.enqueueMany(payloads(added))
  return added
}
