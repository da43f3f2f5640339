import fc from 'fast-check'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { StoppedClock } from '../../../../test/random-calls/stopped-clock.ts'
import type { Root } from '../../../../test/repository-model/asking.ts'
import { ComparedRun } from '../../../../test/repository-model/compare.ts'
import { MODELS, schema } from '../../../../test/repository-model/schema.ts'
import { runs } from '../../../../test/repository-model/steps.ts'
import { type FreshTarget, testBackends } from '../../../../test/targets.ts'
import { openStorage, type Storage } from '../index.ts'

const RUNS = Number(process.env['AGREEMENT_RUNS'] ?? 25)

describe.each(testBackends)('$name', ({ fresh }) => {
  const clock = new StoppedClock()
  let database: FreshTarget
  let storage: Storage<typeof schema>

  beforeAll(async () => {
    database = await fresh()
    storage = await openStorage(database.target, { schema, clock, durability: 'relaxed' })
  })
  afterAll(async () => {
    await storage.close()
    await database.drop()
  })

  it('does with records what the guide says, whatever is called in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (steps) => {
        for (const model of MODELS.toReversed()) await storage.repository(model).deleteMany({})
        await new ComparedRun(storage as unknown as Root, clock).perform(steps)
      }),
      { numRuns: RUNS },
    )
  }, 600_000)
})
