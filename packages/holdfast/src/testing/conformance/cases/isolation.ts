import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { defineSchema, documents, graph } from '../../../schema/index.ts'
import type { Storage } from '../../../storage/index.ts'
import { accountsSchema } from '../../isolation/accounts.ts'
import { findCycle, listsSchema, runAppends } from '../../isolation/append.ts'
import { scenarios } from '../../isolation/scenarios.ts'
import { runScenario } from '../../isolation/schedule.ts'
import type { ConformanceCase } from '../case.ts'

interface Content {
  a: number
  b?: number
}

/** A Standard Schema that takes anything: what has a schema is read, changed, checked whole and written back. */
const Anything: StandardSchemaV1<Content, Content> = {
  '~standard': { version: 1, vendor: 'conformance', validate: (value) => ({ value: value as Content }) },
}
const checkedSchema = defineSchema({
  notes: documents({ schema: Anything }),
  city: graph({ nodes: { venue: Anything }, relations: {} }),
})

type Work = Parameters<Storage<typeof checkedSchema>['transaction']>[0]

/** Runs two transactions at read committed; the second begins when the first has done its work, and has not committed. */
async function overlap(storage: Storage<typeof checkedSchema>, first: Work, second: Work): Promise<void> {
  const options = { isolation: 'read committed' } as const
  const done = Promise.withResolvers<void>()
  const running = storage.transaction(async (tx) => {
    await first(tx)
    done.resolve()
    // The second can go on as far as it is let, which may be not at all.
    await sleep(100)
  }, options)
  await done.promise
  await Promise.all([running, storage.transaction(second, options)])
}

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
  {
    id: 'isolation/checked-whole',
    title:
      'At read committed, what is read, changed and checked whole overwrites nothing of others, and brings nothing back',
    async run({ open }) {
      const storage = await open(checkedSchema)
      const [notes, city] = [storage.repository('notes'), storage.graph('city')]
      await notes.createMany(['x', 'y'].map((id) => ({ id, a: 1 })))
      await city.addNode('venue', { a: 1 }, { id: 'n' })
      await overlap(
        storage,
        async (tx) => {
          await tx.repository('notes').update('x', { a: 2 })
          await tx.repository('notes').delete('y')
          await tx.graph('city').updateNode('n', { a: 2 })
        },
        async (tx) => {
          await tx.repository('notes').updateMany({}, { b: 2 })
          await tx.graph('city').updateNode('n', { b: 2 })
        },
      )
      assert.deepEqual(
        (await notes.find()).map(({ id, a, b }) => [id, a, b]),
        [['x', 2, 2]],
      )
      assert.deepEqual((await city.getNode('n'))?.data, { a: 2, b: 2 })
    },
  },
]
