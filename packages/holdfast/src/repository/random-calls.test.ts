import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Root } from '../../../../test/repository-model/asking.ts'
import type { Step } from '../../../../test/repository-model/calls.ts'
import { ComparedRun, StoppedClock } from '../../../../test/repository-model/compare.ts'
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
        const oracleClock = new StoppedClock()
        await using oracle = await openStorage('memory:', { schema, clock: oracleClock })
        clock.restart()
        for (const model of MODELS.toReversed()) await storage.repository(model).deleteMany({})
        expect(await outcomesOn(storage, clock, steps)).toStrictEqual(await outcomesOn(oracle, oracleClock, steps))
      }),
      { numRuns: RUNS },
    )
  }, 600_000)
})

/** Does the steps on an empty storage, compares it with the model, and gives what came of them. */
async function outcomesOn(storage: unknown, clock: StoppedClock, steps: readonly Step[]): Promise<readonly unknown[]> {
  const run = new ComparedRun(storage as Root, clock)
  await run.perform(steps)
  return run.outcomes
}
