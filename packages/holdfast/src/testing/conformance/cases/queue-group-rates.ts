import assert from 'node:assert/strict'
import { defineSchema, type QueueOptions, queue } from '../../../schema/index.ts'
import { refused } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'
import { WAYS } from '../ways-of-working.ts'

const groupRate = { max: 2, perMs: 60_000 }
const schema = defineSchema({
  mails: queue<{ n: number }>({ groupRate, groupConcurrency: 100 }),
  strict: queue<{ n: number }>({ groupRate }),
  both: queue<{ n: number }>({ groupRate, groupConcurrency: 100, rate: { max: 3, perMs: 60_000 } }),
})

async function openWithClock(open: Parameters<ConformanceCase['run']>[0]['open']) {
  const time = { ahead: 0 }
  return { storage: await open(schema, { clock: { now: () => Date.now() + time.ahead } }), time }
}

/** Jobs of groups, numbered from `from` on. */
function ofGroups(groups: string, from = 0): { data: { n: number }; group: string }[] {
  return [...groups].map((group, at) => ({ data: { n: from + at }, group }))
}

const numbers = (jobs: readonly { data: { n: number } }[]) => jobs.map(({ data }) => data.n)

/** How many jobs of each group begin in a time. */
export const queueGroupRateCases: readonly ConformanceCase[] = [
  {
    id: 'queue/group-rate',
    title: 'No more jobs of a group begin in a window than its rate allows, and it keeps no other waiting',
    async run({ open }) {
      const { storage, time } = await openWithClock(open)
      const mails = storage.queue('mails')
      await mails.enqueueMany([...ofGroups('aaaaabbb'), { data: { n: 8 } }, { data: { n: 9 } }])
      // Far fewer than wait in front of the other group.
      const first = await mails.dequeueMany(4, { leaseMs: 600_000 })
      assert.deepEqual(numbers(first), [0, 1, 5, 6])
      assert.deepEqual(numbers(await mails.dequeueMany(10, { leaseMs: 600_000 })), [8, 9])
      assert.equal((await mails.stats()).scheduled, 4)
      time.ahead += 50_000
      assert.equal(await mails.dequeue(), null)
      time.ahead += 11_000
      const second = await mails.dequeueMany(10)
      assert.deepEqual(numbers(second), [2, 3, 7])
      assert.deepEqual(
        second.map(({ attempt, errors }) => [attempt, errors.length]),
        [
          [1, 0],
          [1, 0],
          [1, 0],
        ],
      )
    },
  },
  {
    id: 'queue/group-rate-raced',
    title: 'However many take jobs at once, none lets more of a group begin than its rate allows',
    async run({ open }) {
      const { storage } = await openWithClock(open)
      const mails = storage.queue('mails')
      await mails.enqueueMany(ofGroups('abcabcabcabcabc'))
      const taken = await Promise.all(Array.from({ length: 10 }, () => mails.dequeueMany(3)))
      const groups = taken.flat().map(({ group }) => group)
      assert.deepEqual(groups.sort(), ['a', 'a', 'b', 'b', 'c', 'c'])
      const before = await mails.list({ state: 'scheduled' })
      assert.ok(before.every(({ attempt }) => attempt === 0))
    },
  },
  {
    id: 'queue/group-rate-order',
    title: 'Jobs of a group that were put off keep their order, also in the mode of transactions',
    async run({ open }) {
      const { storage, time } = await openWithClock(open)
      const strict = storage.queue('strict')
      for (const way of WAYS) {
        await strict.enqueueMany(ofGroups('aaaaa'))
        await strict.enqueueMany(ofGroups('bb', 5))
        const ran: number[] = []
        const work = () => strict.worker((job) => void ran.push(job.data.n), way).drain()
        await work()
        assert.deepEqual(ran.toSorted(), [0, 1, 5, 6])
        time.ahead += 61_000
        await work()
        assert.deepEqual(ran.slice(4), [2, 3])
        time.ahead += 61_000
        await work()
        assert.deepEqual(ran.slice(6), [4])
        time.ahead += 61_000
      }
    },
  },
  {
    id: 'queue/group-rate-and-rate',
    title: 'Jobs that their group puts off do not count against the rate of the queue',
    async run({ open }) {
      const { storage, time } = await openWithClock(open)
      const both = storage.queue('both')
      await both.enqueueMany(ofGroups('aaaabb'))
      assert.deepEqual(numbers(await both.dequeueMany(10)), [0, 1, 4])
      assert.equal(await both.dequeue(), null)
      time.ahead += 20_000
      await both.enqueue({ n: 9 }, { priority: 9 })
      assert.equal(await both.dequeue(), null)
    },
  },
  {
    id: 'queue/groups-forgotten',
    title: 'Nothing is kept of groups in which nothing is left, once their windows are over',
    async run({ open }) {
      const { storage, time } = await openWithClock(open)
      const kept = async (name: 'strict' | 'plain') =>
        (await storage.repository('holdfastGates').find({ where: { queue: name } })).length
      const plain = storage.queue<{ n: number }>('plain')
      await plain.enqueueMany([...ofGroups('abc'), ...ofGroups('aa', 3)])
      await plain.enqueue({ n: 5 }, { group: 'b', delayMs: 30_000 })
      assert.equal(await plain.drain(() => undefined), 5)
      assert.equal(await kept('plain'), 0)
      time.ahead += 31_000
      assert.equal(await plain.drain(() => undefined), 1)
      assert.equal(await kept('plain'), 0)
      const strict = storage.queue('strict')
      await strict.enqueueMany(ofGroups('abcc'))
      assert.equal(await strict.drain(() => undefined), 4)
      await strict.prune()
      assert.equal(await kept('strict'), 3)
      await strict.enqueueMany(ofGroups('cc', 4))
      assert.equal(await strict.dequeue(), null)
      time.ahead += 61_000
      await strict.prune()
      assert.equal(await kept('strict'), 0)
      assert.equal(await strict.drain(() => undefined), 2)
    },
  },
  {
    id: 'queue/rates-refused',
    title: 'An invalid rate is refused when the schema is declared',
    async run() {
      for (const rate of [{ max: 0, perMs: 1_000 }, { max: 1 }, { max: 1, perMs: 1_000, each: 1 }]) {
        for (const options of [{ rate }, { groupRate: rate }] as QueueOptions[])
          await refused(() => defineSchema({ mails: queue(options) }), 'CONFIGURATION')
      }
    },
  },
]
