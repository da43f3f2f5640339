import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FreshTarget, testBackends } from '../../../../../test/targets.ts'
import { defineSchema, openStorage, queue } from '../../index.ts'
import { testClock } from '../../testing/index.ts'

const RUNS = Number(process.env['AGREEMENT_RUNS'] ?? 8)
const HOUR_MS = 3_600_000

/** What a schedule is declared to be. Times are hours since the run began. */
interface Declared {
  readonly every: number
  readonly until: number | null
  readonly catchUp: 'none' | 'last' | 'all'
  readonly catchUpLimit: number
}

/** So many hours go by; then it is declared anew, where it is, and what is due is done. */
interface Round {
  readonly hours: number
  readonly declared: Declared | null
  readonly drains: boolean
}

const declarations: fc.Arbitrary<Declared> = fc.record({
  every: fc.integer({ min: 1, max: 3 }),
  until: fc.option(fc.nat(20)),
  catchUp: fc.constantFrom('none', 'last', 'all'),
  catchUpLimit: fc.integer({ min: 1, max: 4 }),
})
const rounds = fc.array(
  fc.record({ hours: fc.nat(6), declared: fc.option(declarations, { freq: 2 }), drains: fc.boolean() }),
  { minLength: 1, maxLength: 8 },
)

/** The hours of the ticks that jobs are made of, by what the guide says. */
function expected(first: Declared, all: readonly Round[]): number[] {
  const made: number[] = []
  let declared = first
  let next: number | null = 0
  let last = Number.NEGATIVE_INFINITY
  // It is looked at half an hour after full hours, and was declared before the first of them.
  let now = -0.5
  const bounded = (tick: number) => (declared.until !== null && tick > declared.until ? null : tick)
  const after = (time: number) => bounded(Math.max(0, (Math.floor(time / declared.every) + 1) * declared.every))
  next = bounded(0)
  for (const round of all) {
    now += round.hours
    if (round.declared !== null) {
      const isSame = round.declared.every === declared.every && round.declared.until === declared.until
      declared = round.declared
      // A tick that was due is still to come, by the new rule.
      const since = Math.max(Math.min(now, next === null ? now : next - 0.25), last)
      if (!isSame) next = after(since)
    }
    if (!round.drains || next === null || next > now) continue
    const due: number[] = []
    for (let tick: number | null = next; tick !== null && tick <= now; tick = after(tick)) due.push(tick)
    if (declared.catchUp === 'last') made.push(...due.slice(-1))
    if (declared.catchUp === 'all') made.push(...due.slice(-declared.catchUpLimit))
    last = due.at(-1) as number
    next = after(now)
  }
  return made
}

describe.each(testBackends)('$name', ({ fresh }) => {
  let database: FreshTarget
  let run = 0

  beforeAll(async () => {
    database = await fresh()
  })
  afterAll(() => database.drop())

  it('makes the jobs of ticks that the guide says, however schedules change and whenever somebody looks', async () => {
    await fc.assert(
      fc.asyncProperty(declarations, rounds, async (first, all) => {
        const clock = testClock()
        const name = `ticks${++run}`
        const schema = defineSchema({ [name]: queue<null>() })
        await using storage = await openStorage(database.target, { schema, clock, durability: 'relaxed' })
        const ticks = storage.queue(name)
        const from = new Date(clock.now() + HOUR_MS / 2)
        const declare = ({ every, until, ...options }: Declared) =>
          ticks.schedule('s', { everyMs: every * HOUR_MS }, null, {
            ...options,
            from,
            ...(until !== null && { until: new Date(from.getTime() + until * HOUR_MS) }),
          })
        const made: number[] = []
        await declare(first)
        for (const { hours, declared, drains } of all) {
          clock.advance(hours * HOUR_MS)
          if (declared !== null) await declare(declared)
          if (drains) await ticks.drain(({ runAt }) => void made.push((runAt.getTime() - from.getTime()) / HOUR_MS))
        }
        expect(made).toEqual(expected(first, all))
      }),
      { numRuns: RUNS },
    )
  }, 600_000)
})
