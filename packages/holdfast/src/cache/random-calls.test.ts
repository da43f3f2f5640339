import fc from 'fast-check'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { CACHES, LEVELS } from '../../../../test/cache-model/calls.ts'
import { ComparedRun, type Store } from '../../../../test/cache-model/compare.ts'
import { runs } from '../../../../test/cache-model/steps.ts'
import { StoppedClock } from '../../../../test/random-calls/stopped-clock.ts'
import { type FreshTarget, testBackends } from '../../../../test/targets.ts'
import { openStorage, type Storage } from '../index.ts'

const RUNS = Number(process.env['AGREEMENT_RUNS'] ?? 25)

describe.each(testBackends)('$name', ({ fresh }) => {
  const clock = new StoppedClock()
  let database: FreshTarget
  let storage: Storage

  beforeAll(async () => {
    database = await fresh()
    storage = await openStorage(database.target, { clock, durability: 'relaxed' })
    for (const name of CACHES) storage.cache(name, { levels: LEVELS[name] })
  })
  afterAll(async () => {
    await storage.close()
    await database.drop()
  })

  it('keeps in caches what the guide says, whatever is called in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (steps) => {
        for (const name of CACHES) await storage.cache(name).clear()
        await new ComparedRun(storage as unknown as Store, clock).perform(steps)
      }),
      { numRuns: RUNS },
    )
  }, 600_000)
})
