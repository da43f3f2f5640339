import assert from 'node:assert/strict'
import { accountsSchema } from '../../isolation/accounts.ts'
import { findCycle, listsSchema, runAppends } from '../../isolation/append.ts'
import { scenarios } from '../../isolation/scenarios.ts'
import { runScenario } from '../../isolation/schedule.ts'
import type { ConformanceCase } from '../case.ts'

export const isolationCases: readonly ConformanceCase[] = [
  ...scenarios.map(
    (scenario): ConformanceCase => ({
      id: `isolation/${scenario.id}`,
      title: scenario.title,
      async run({ open }) {
        const storage = await open(accountsSchema)
        for (const retries of [0, 20]) {
          await storage.repository('accounts').deleteMany({})
          const history = await runScenario(storage, scenario, { retries })
          assert.equal(scenario.anomaly(history), null, `with ${retries} retries`)
          // What aborts itself is the only thing that may not commit in the end.
          const all = Object.keys(scenario.transactions).length - (scenario.id === 'G1a' ? 1 : 0)
          if (retries > 0) assert.equal(history.committed.size, all, 'a transaction failed in spite of its retries')
        }
      },
    }),
  ),
  {
    id: 'isolation/random',
    title: 'What 320 random transactions at once have read and appended, some serial order explains',
    async run({ open }) {
      const storage = await open(listsSchema)
      const history = await runAppends(storage, 8, 40)
      const final = new Map((await storage.repository('lists').find()).map(({ id, items }) => [id, items]))
      const appended = history.flatMap(({ appends }) => appends.map(({ item }) => item))
      assert.deepEqual([...final.values()].flat().sort(), appended.sort())
      assert.equal(history.length, 320)
      assert.equal(findCycle(history, final), null)
    },
  },
]
