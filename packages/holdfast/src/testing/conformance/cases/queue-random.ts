import assert from 'node:assert/strict'
import { type EnqueueOptions, type Job, type Queue, snooze } from '../../../queue/index.ts'
import { defineSchema, queue, t, table } from '../../../schema/index.ts'
import type { ConformanceCase } from '../case.ts'

type Numbered = Queue<{ n: number }, { n: number }, unknown>

const GROUP_LIMITS = { narrow: 1, wide: 2 } as const
const LEASE_MS = 30_000
const ROUNDS = 6
const schema = defineSchema({
  done: table({ id: t.text().primaryKey() }),
  narrow: queue<{ n: number }>({ maxAttempts: 4 }),
  wide: queue<{ n: number }>({ maxAttempts: 4, groupConcurrency: GROUP_LIMITS.wide }),
})

/** Numbers below 1 that look like random ones and are the same for the same seed: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Does things to queues at random, and knows what must hold. */
class Mixture {
  /** Every job that was ever added, by its id. */
  readonly added: Map<string, Numbered>
  readonly #random: () => number
  /** Jobs that are taken, by their groups; several of a narrow group would be a breach. */
  readonly #taken = new Map<string, Set<string>>()
  /** Jobs that somebody cancelled, perhaps while another one took them. */
  readonly #cancelled = new Set<string>()
  #count = 0

  constructor(seed: number, added: ReadonlyMap<string, Numbered> = new Map()) {
    this.#random = randomFrom(seed)
    this.added = new Map(added)
  }

  below(bound: number): number {
    return Math.floor(this.#random() * bound)
  }

  chance(share: number): boolean {
    return this.#random() < share
  }

  options(): EnqueueOptions {
    const ids = [...this.added.keys()]
    const after = Array.from({ length: this.below(3) }, () => ids[this.below(ids.length)] as string)
    return {
      ...(this.chance(0.7) && { group: `group ${this.below(3)}` }),
      ...(this.chance(0.3) && ids.length > 0 && { after, onFailure: this.chance(0.8) ? 'run' : 'fail' }),
      ...(this.chance(0.3) && { key: `key ${this.below(4)}`, onDuplicate: this.chance(0.5) ? 'replace' : 'ignore' }),
      ...(this.chance(0.2) && { delayMs: 1 + this.below(2_000) }),
      ...(this.chance(0.2) && { priority: this.below(3) }),
    }
  }

  /** What comes of adding a job is noted; a job before it that has failed, or a cycle, is refused. */
  async add(jobs: Numbered, known: Numbered = jobs): Promise<void> {
    try {
      const { id } = await jobs.enqueue({ n: this.#count++ }, this.options())
      this.added.set(id, known)
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'VALIDATION', String(error))
    }
  }

  take(job: Job): void {
    if (job.group === null || this.#cancelled.has(job.id)) return
    const group = `${job.queue} ${job.group}`
    const taken = this.#taken.get(group) ?? new Set()
    taken.add(job.id)
    this.#taken.set(group, taken)
    assert.ok(taken.size <= GROUP_LIMITS[job.queue as 'narrow' | 'wide'], `${group} has let ${[...taken]} through`)
  }

  /** Said before a job is ended, since the next may come at once. */
  leave(job: Job): void {
    this.#taken.get(`${job.queue} ${job.group}`)?.delete(job.id)
  }

  async cancel(jobs: Numbered, job: Job): Promise<void> {
    this.#cancelled.add(job.id)
    this.leave(job)
    await jobs.cancel(job.id)
  }

  /** Ends a job; only when somebody cancelled it, its lease may be lost. */
  async end(job: Job, work: () => Promise<unknown>): Promise<void> {
    this.leave(job)
    try {
      await work()
    } catch (error) {
      const code = (error as { code?: string }).code
      if (code !== 'LEASE_LOST' || !this.#cancelled.has(job.id)) throw error
    }
  }
}

export const queueRandomCases: readonly ConformanceCase[] = [
  {
    id: 'queue/random',
    title:
      'Whatever is done to jobs with groups, keys and jobs before them, each ends, runs to its end once, and no group is too wide',
    async run({ open }) {
      const seed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 1e9))
      const time = { ahead: 0 }
      const storage = await open(schema, { clock: { now: () => Date.now() + time.ahead } })
      const mixture = new Mixture(seed)
      const queues = [storage.queue('narrow'), storage.queue('wide')] as Numbered[]

      const add = async (): Promise<void> => {
        const jobs = queues[mixture.below(2)] as Numbered
        if (mixture.chance(0.7)) return mixture.add(jobs)
        const undone = new Error('undone')
        try {
          const inside = await storage.transaction(async (tx) => {
            const own = new Mixture(mixture.below(1e9), mixture.added)
            await own.add(tx.queue(jobs.name) as Numbered, jobs)
            if (own.chance(0.2)) throw undone
            return own.added
          })
          for (const [id, of] of inside) mixture.added.set(id, of)
        } catch (error) {
          assert.equal(error, undone)
        }
      }
      const meddle = async (): Promise<void> => {
        const [id, jobs] = [...mixture.added][mixture.below(mixture.added.size)] ?? []
        if (id === undefined || jobs === undefined) return
        const job = await jobs.get(id)
        if (job?.state === 'failed' || job?.state === 'cancelled') await jobs.retry(id)
        else if (job !== null && job.state !== 'active' && mixture.chance(0.5)) await mixture.cancel(jobs, job)
      }
      /** Takes jobs and ends them in some way; some it keeps until their leases run out. */
      const work = async (): Promise<void> => {
        const jobs = queues[mixture.below(2)] as Numbered
        for (const job of await jobs.dequeueMany(1 + mixture.below(3), { leaseMs: LEASE_MS })) {
          mixture.take(job)
          const kind = mixture.below(10)
          if (kind === 0) continue
          await mixture.end(job, async () => {
            if (kind <= 3) await jobs.fail(job, 'again', kind > 1)
            else if (kind === 4) await jobs.cancel(job.id)
            else
              await storage.transaction(async (tx) => {
                await tx.repository('done').create({ id: job.id })
                await (tx.queue(jobs.name) as Numbered).acknowledge(job)
              })
          })
        }
      }
      try {
        for (let round = 0; round < ROUNDS; round++) {
          const acts = [add, add, add, work, work, work, meddle]
          const lanes = Array.from({ length: 4 }, async () => {
            for (let act = 0; act < 8; act++) await (acts[mixture.below(acts.length)] as () => Promise<void>)()
          })
          await Promise.all(lanes)
        }
        // All leases run out, and everything comes due.
        for (let left = 1, sweeps = 0; left > 0; sweeps++) {
          assert.ok(sweeps < 40, `${left} jobs are left`)
          time.ahead += 4_000_000
          for (const jobs of queues) {
            await jobs.drain(async (job, context) => {
              const { tx } = context as { tx: Parameters<Parameters<typeof storage.transaction>[0]>[0] }
              await tx.repository('done').create({ id: job.id })
              if (job.attempt < 3 && job.data.n % 7 === 0) throw new Error('again')
              return job.attempt === 1 && job.data.n % 5 === 0 && sweeps < 2 ? snooze(1_000) : undefined
            })
          }
          const stats = await Promise.all(queues.map((jobs) => jobs.stats()))
          left = stats.reduce((sum, { waiting, active }) => sum + waiting + active, 0)
        }
        const done = new Set((await storage.repository('done').find()).map(({ id }) => id))
        for (const [id, jobs] of mixture.added) {
          const state = (await jobs.get(id))?.state
          assert.equal(done.has(id), state === 'completed', `${id} is ${state}`)
        }
      } catch (error) {
        throw new Error(`With HOLDFAST_SEED=${seed}: ${(error as Error).message}`, { cause: error })
      }
    },
  },
]
