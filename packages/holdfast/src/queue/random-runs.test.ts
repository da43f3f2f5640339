import fc from 'fast-check'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { Comparison } from '../../../../test/job-model/compare.ts'
import { releasesOf } from '../../../../test/job-model/queues.ts'
import { besideRuns, runs } from '../../../../test/job-model/steps.ts'
import { type FreshTarget, testBackends } from '../../../../test/targets.ts'
import { openStorage, type Storage } from '../index.ts'
import { testClock } from '../testing/index.ts'

const RUNS = Number(process.env['AGREEMENT_RUNS'] ?? 8)

describe.each(testBackends)('$name', ({ fresh }) => {
  let database: FreshTarget
  let run = 0

  beforeAll(async () => {
    database = await fresh()
  })
  afterAll(() => database.drop())

  it('does with jobs what the guide says, whatever is done in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (steps) => {
        const clock = testClock()
        const { schema, release } = releasesOf(++run)
        await using storage = await openStorage(database.target, { schema, clock, durability: 'relaxed' })
        await new Comparison(storage as unknown as Storage, clock, run, release).perform(steps)
      }),
      { numRuns: RUNS },
    )
  }, 600_000)

  it('does side by side what it does in some order, and leaves nothing that is never done', async () => {
    await fc.assert(
      fc.asyncProperty(besideRuns, async ({ before, beside }) => {
        const clock = testClock()
        const { schema, release } = releasesOf(++run)
        await using storage = await openStorage(database.target, { schema, clock, durability: 'relaxed' })
        const comparison = new Comparison(storage as unknown as Storage, clock, run, release)
        await comparison.perform(before)
        await comparison.performBeside(beside)
        await comparison.windUp()
      }),
      { numRuns: RUNS },
    )
  }, 600_000)
})
