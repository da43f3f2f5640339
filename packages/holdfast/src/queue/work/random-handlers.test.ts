import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FreshTarget, testBackends } from '../../../../../test/targets.ts'
import {
  defineSchema,
  discard,
  type HandlerContext,
  type Job,
  openStorage,
  queue,
  retryIn,
  snooze,
  type Transaction,
  t,
  table,
  type WorkOptions,
} from '../../index.ts'
import { testClock } from '../../testing/index.ts'

const RUNS = Number(process.env['AGREEMENT_RUNS'] ?? 8)
const HOUR_MS = 3_600_000
const MAX_ATTEMPTS = 3

/** What a handler does when it is called: first what it writes, then how it ends. */
interface Act {
  readonly writes: boolean
  /** Writes in a nested transaction that is undone. */
  readonly nests: boolean
  /** Adds a job, which does this. */
  readonly adds: Script | null
  readonly waits: boolean
  readonly ends: 'returns' | 'throws' | 'snoozes' | 'discards' | 'retries in'
}

/** How a worker is told to work in a way. */
function modeOf(way: Exclude<Way, 'many'>): WorkOptions {
  return way === 'unleased' ? { mode: 'transaction', leases: false } : { mode: way }
}

/** What a handler does in each round since its job was added; then it returns. */
type Script = readonly Act[]

/** A job says in which round it was added, so that its handler knows what to do however often it is called. */
interface Payload {
  readonly name: string
  readonly round: number
  readonly script: Script
}

const RETURNS: Act = { writes: true, nests: false, adds: null, waits: false, ends: 'returns' }

function scripts(depth: number): fc.Arbitrary<Script> {
  const act = fc.record({
    writes: fc.boolean(),
    nests: fc.boolean(),
    adds: depth === 0 ? fc.constant(null) : fc.option(scripts(depth - 1), { freq: 2 }),
    waits: fc.boolean(),
    ends: fc.constantFrom('returns', 'throws', 'throws', 'snoozes', 'discards', 'retries in'),
  }) as fc.Arbitrary<Act>
  return fc.array(act, { maxLength: 3 })
}

/** In each round a job is called once, at most; an attempt more than there are acts is the last. */
const ROUNDS = 9

const ways = fc.oneof(
  fc.record({ way: fc.constant('lease' as const), concurrency: fc.constantFrom(1, 3) }),
  fc.record({
    way: fc.constantFrom('transaction' as const, 'unleased' as const),
    concurrency: fc.constantFrom(1, 2),
    batch: fc.constantFrom(1, 2, 5),
  }),
  fc.record({ way: fc.constant('many' as const), concurrency: fc.constantFrom(1, 2), batch: fc.constantFrom(1, 2, 5) }),
)

type Way = 'lease' | 'transaction' | 'unleased' | 'many'

const schema = defineSchema({
  written: table({ id: t.text().primaryKey() }),
  jobs: queue<Payload>({ maxAttempts: MAX_ATTEMPTS, backoff: { kind: 'fixed', firstMs: HOUR_MS / 10, jitter: 0 } }),
})

type Tx = Transaction<typeof schema>

/** What is there in the end: how each job stands, and what was written. */
interface End {
  readonly jobs: Record<string, unknown>
  readonly written: readonly string[]
}

/** Whether a handler uses its transaction, with which what its steps came to after that is undone. */
function usesTx({ writes, nests, adds }: Act): boolean {
  return writes || nests || adds !== null
}

/** What the guide says that comes of it. */
function expected(scripts: readonly Script[], way: Way): End {
  const jobs: Record<string, unknown> = {}
  const written: string[] = []
  const waiting: Payload[] = scripts.map((script, at) => ({ name: `${at}`, round: 0, script }))
  for (const { name, round, script } of waiting) {
    const errors: string[] = []
    // Each step is called in every round, the one before the transaction is used and the other after that.
    const kept: { early?: string; late?: string } = {}
    for (let at = 0, attempt = 1; jobs[name] === undefined; at++) {
      const act = script[at] ?? RETURNS
      const { writes, adds, ends } = act
      const label = `${name}.${at}`
      const steps = { early: kept.early ?? label, late: kept.late ?? label }
      if (way === 'lease') Object.assign(kept, usesTx(act) ? { early: steps.early } : steps)
      if (ends !== 'snoozes' && ends !== 'returns') errors.push(label)
      if (ends === 'returns') {
        if (writes) written.push(label)
        if (adds !== null) waiting.push({ name: label, round: round + at, script: adds })
        jobs[name] = { state: 'completed', attempt, errors, result: way === 'many' ? { label } : { label, ...steps } }
      } else if (ends === 'discards' || (ends !== 'snoozes' && attempt === MAX_ATTEMPTS))
        jobs[name] = { state: 'failed', attempt, errors, result: null }
      else if (ends !== 'snoozes') attempt++
    }
  }
  return { jobs, written: written.sort() }
}

describe.each(testBackends)('$name', ({ fresh }) => {
  let database: FreshTarget

  beforeAll(async () => {
    database = await fresh()
  })
  afterAll(() => database.drop())

  it('leaves what the guide says, whatever handlers do and however they are called', async () => {
    const cases = fc.record({ options: ways, scripts: fc.array(scripts(1), { minLength: 1, maxLength: 6 }) })
    await fc.assert(
      fc.asyncProperty(cases, async ({ options, scripts }) => {
        const clock = testClock()
        await using storage = await openStorage(database.target, { schema, clock, durability: 'relaxed' })
        const jobs = storage.queue('jobs')
        let round = 0

        /** What becomes of a job in this round, and what is written with it. */
        const perform = async (job: Job<Payload>, tx: Tx): Promise<{ readonly label: string; readonly act: Act }> => {
          const { name, script, round: began } = job.data
          const act = script[round - began] ?? RETURNS
          const label = `${name}.${round - began}`
          if (act.waits) await sleep(1)
          if (act.writes) await tx.repository('written').create({ id: label })
          if (act.nests)
            await tx
              .transaction(async (inner) => {
                await inner.repository('written').create({ id: `${label} nested` })
                await inner.queue('jobs').enqueue({ name: `${label} nested`, round, script: [] })
                throw new Error('undone')
              })
              .catch(() => undefined)
          if (act.adds !== null) await tx.queue('jobs').enqueue({ name: label, round, script: act.adds })
          return { label, act }
        }
        const endOf = ({ label, act }: Awaited<ReturnType<typeof perform>>) => {
          if (act.ends === 'snoozes') return snooze(HOUR_MS / 10)
          if (act.ends === 'discards') return discard(label)
          if (act.ends === 'retries in') return retryIn(HOUR_MS / 10, new Error(label))
          return act.ends === 'throws' ? new Error(label) : { label }
        }
        const one = async (job: Job<Payload>, { tx, step }: HandlerContext<Tx>) => {
          const now = `${job.data.name}.${round - job.data.round}`
          const early = await step('early', () => now)
          const end = endOf(await perform(job, tx))
          const late = await step('late', () => now)
          if (end instanceof Error) throw end
          return 'label' in end ? { ...end, early, late } : end
        }
        /** What belongs to one of many alone is undone alone. */
        const many = async (all: readonly Job<Payload>[], { tx }: { readonly tx: Tx }) => {
          const ends: unknown[] = []
          for (const job of all) {
            const undone = new Error('undone')
            let end: unknown
            const work = tx.transaction(async (inner) => {
              end = endOf(await perform(job, inner as Tx))
              if (!(end instanceof Object && 'label' in end)) throw undone
            })
            await work.catch((error: unknown) => {
              if (error !== undone) throw error
            })
            ends.push(end)
          }
          return ends
        }
        const { way, ...settings } = options
        const worker =
          way === 'many'
            ? jobs.manyWorker(many as never, settings)
            : jobs.worker(one as never, { ...settings, ...modeOf(way) })

        await jobs.enqueueMany(scripts.map((script, at) => ({ data: { name: `${at}`, round: 0, script } })))
        for (; round < ROUNDS; round++) {
          await worker.drain()
          clock.advance(HOUR_MS)
        }
        const left = (await jobs.list({ limit: 1_000 })).map(({ data, state, attempt, errors, result }) => [
          data.name,
          { state, attempt, errors: errors.map(({ message }) => message), result },
        ])
        const written = (await storage.repository('written').find()).map(({ id }) => id)
        await jobs.purge()
        await storage.repository('written').deleteMany({})
        expect({ jobs: Object.fromEntries(left), written: written.sort() }).toEqual(expected(scripts, way))
      }),
      { numRuns: RUNS },
    )
  }, 600_000)
})
