import assert from 'node:assert/strict'
import { once } from 'node:events'
import { defineSchema, queue, t, table } from '../../../schema/index.ts'
import { refused } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  done: table({ id: t.text().primaryKey() }),
  jobs: queue<{ more: number }>({ backoff: { kind: 'fixed', firstMs: 1, jitter: 0 } }),
})

/** `drain` beside workers that run. */
export const queueDrainCases: readonly ConformanceCase[] = [
  {
    id: 'queue/drain-beside',
    title:
      'drain returns once the workers of the queue here have written down what they ran, and counts their attempts',
    async run({ open }) {
      const storage = await open(schema)
      const jobs = storage.queue('jobs')
      const order: string[] = []
      const gate = Promise.withResolvers<void>()
      const worker = jobs.worker(async (_, { tx }) => {
        await gate.promise
        await tx.repository('done').create({ id: 'x' })
        order.push('handled')
      })
      const begun = once(worker, 'started')
      worker.start()
      await jobs.enqueue({ more: 0 })
      await begun
      const drained = storage.as('kim').queue('jobs').drain()
      const noted = drained.then(() => order.push('drained'))
      // Meanwhile one that waited for nobody would have come back.
      for (let round = 0; round < 3; round++) assert.equal(await jobs.worker(() => undefined).drain(), 0)
      gate.resolve()
      assert.equal(await drained, 1)
      await noted
      assert.deepEqual(order, ['handled', 'drained'])
      assert.deepEqual(await jobs.stats(), { ...(await jobs.stats()), active: 0, completed: 1 })
      assert.equal(await jobs.drain(), 0)
      await worker.stop()
    },
  },
  {
    id: 'queue/drain-follow-ups',
    title: 'drain beside a worker runs what its handlers enqueue, too, in every way of working',
    async run({ open }) {
      const storage = await open(schema)
      const jobs = storage.queue('jobs')
      let handled = 0
      const follow = async (more: number) => {
        handled++
        if (more > 0) await jobs.enqueue({ more: more - 1 })
      }
      const starts = [
        () => jobs.work((job) => follow(job.data.more), { concurrency: 2 }),
        () => jobs.workMany((some) => Promise.all(some.map((job) => follow(job.data.more))).then(() => undefined)),
      ]
      for (const start of starts) {
        const worker = start()
        for (let round = 0; round < 5; round++) {
          handled = 0
          await jobs.enqueueMany(Array.from({ length: 3 }, () => ({ data: { more: 2 } })))
          await jobs.drain()
          const { waiting, active } = await jobs.stats()
          assert.deepEqual([handled, waiting, active], [9, 0, 0])
        }
        await worker.stop()
        // One that has stopped is waited for no longer.
        assert.equal(await jobs.drain(), 0)
      }
      await refused(() => storage.transaction((tx) => tx.queue('jobs').drain()), 'TRANSACTION_MISUSE')
    },
  },
]
