import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordedRun } from '../../../../test/history-model/recorded.ts'
import { runs, type Step, schema } from '../../../../test/history-model/steps.ts'
import { type TestBackend, testBackends } from '../../../../test/targets.ts'
import { openStorage } from '../storage/index.ts'
import { testClock } from '../testing/index.ts'

const RUNS = Number(process.env['AGREEMENT_RUNS'] ?? 10)
const [memory] = testBackends as [TestBackend]

describe.each(testBackends)('$name', (backend) => {
  it('remembers what was there after every write, whatever is written in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (steps) => {
        const given = await storyOn(backend, steps)
        // Which of several writes comes first when they are begun at once nobody says.
        if (!steps.some((step) => step.do === 'at once')) expect(given).toEqual(await storyOn(memory, steps))
      }),
      { numRuns: RUNS },
    )
  }, 600_000)
})

/** Does the steps on an empty database, looks that it remembers them, and gives what it tells of them. */
async function storyOn({ fresh }: TestBackend, steps: readonly Step[]): Promise<unknown> {
  const database = await fresh()
  try {
    const clock = testClock()
    await using storage = await openStorage(database.target, { schema, clock, durability: 'relaxed' })
    const run = new RecordedRun(storage, clock)
    await run.perform(steps)
    await run.assertRemembered()
    return { outcomes: run.outcomes, story: await run.story() }
  } finally {
    await database.drop()
  }
}
