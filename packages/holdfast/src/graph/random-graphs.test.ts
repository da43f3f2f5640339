import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Store } from '../../../../test/graph-model/asking.ts'
import type { Step } from '../../../../test/graph-model/calls.ts'
import { ComparedRun } from '../../../../test/graph-model/compare.ts'
import { GRAPHS, LABELS_OF, MODELS, schema } from '../../../../test/graph-model/schema.ts'
import { runs } from '../../../../test/graph-model/steps.ts'
import { StoppedClock } from '../../../../test/random-calls/stopped-clock.ts'
import { type FreshTarget, testBackends } from '../../../../test/targets.ts'
import { openStorage, type Storage } from '../index.ts'

const RUNS = Number(process.env['AGREEMENT_RUNS'] ?? 15)

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

  it('does with graphs what the guide says, whatever is called in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (steps) => {
        const oracleClock = new StoppedClock()
        oracleClock.advance(clock.now() - oracleClock.now())
        await using oracle = await openStorage('memory:', { schema, clock: oracleClock })
        await empty(storage)
        expect(await outcomesOn(storage, clock, steps)).toStrictEqual(await outcomesOn(oracle, oracleClock, steps))
      }),
      { numRuns: RUNS },
    )
  }, 600_000)
})

async function empty(storage: Storage<typeof schema>): Promise<void> {
  for (const model of MODELS) await storage.repository(model).deleteMany({})
  for (const name of GRAPHS) {
    const graph = storage.graph(name as 'free')
    for (const label of LABELS_OF[name]) {
      for (const { id } of await graph.nodes(label)) await graph.removeNode(id)
    }
  }
}

/** Does the steps on empty graphs, compares them with the model, and gives what came of the steps. */
async function outcomesOn(storage: unknown, clock: StoppedClock, steps: readonly Step[]): Promise<readonly unknown[]> {
  const run = new ComparedRun(storage as Store, clock)
  await run.perform(steps)
  return run.outcomes
}
