import assert from 'node:assert/strict'
import { setTimeout as afterMs } from 'node:timers/promises'
import { defineSchema, t, table } from '../../../schema/index.ts'
import { pick, refused } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  names: table({ name: t.text().primaryKey(), n: t.integer().default(0) }),
  counted: table({ id: t.integer().primaryKey().generated(), name: t.text() }),
})

export const savepointCases: readonly ConformanceCase[] = [
  {
    id: 'savepoints/undone-alone',
    title: 'A nested transaction that rejects is undone alone, and the outer one goes on',
    async run({ open }) {
      const storage = await open(schema)
      const names = storage.repository('names')
      await names.create({ name: 'taken' })
      await storage.transaction(async (tx) => {
        await tx.repository('names').create({ name: 'before' })
        const nested = tx.transaction(async (inner) => {
          await inner.repository('names').create({ name: 'undone' })
          await inner.repository('names').update('before', { n: 9 })
          await inner.repository('names').deleteMany({ name: 'taken' })
          await inner.repository('names').create({ name: 'before' })
        })
        await refused(nested, { code: 'CONFLICT_UNIQUE', model: 'names', fields: ['name'] })
        assert.deepEqual(await tx.repository('names').find(), [
          { name: 'before', n: 0 },
          { name: 'taken', n: 0 },
        ])
        await tx.repository('names').create({ name: 'after' })
      })
      assert.deepEqual(pick(await names.find(), 'name'), ['after', 'before', 'taken'])
    },
  },
  {
    id: 'savepoints/kept',
    title: 'A nested transaction that resolves is part of the outer one: seen there, and undone with it',
    async run({ open }) {
      const storage = await open(schema)
      const work = storage.transaction(async (tx) => {
        const given = await tx.transaction(async (inner) => {
          await inner.repository('names').create({ name: 'a' })
          return 'given'
        })
        assert.equal(given, 'given')
        assert.equal(await tx.repository('names').count(), 1)
        throw new Error('mine')
      })
      await assert.rejects(work, /mine/)
      assert.equal(await storage.repository('names').count(), 0)
    },
  },
  {
    id: 'savepoints/deep',
    title: 'Nested transactions nest, and each level is undone by itself',
    async run({ open }) {
      const storage = await open(schema)
      await storage.transaction(async (one) => {
        await one.repository('names').create({ name: '1' })
        await one.transaction(async (two) => {
          await two.repository('names').create({ name: '2' })
          await two
            .transaction(async (three) => {
              await three.repository('names').create({ name: '3' })
              await three.transaction((four) => four.repository('names').create({ name: '4' }))
              throw new Error('mine')
            })
            .catch(() => undefined)
          await two.transaction((three) => three.repository('names').create({ name: '5' }))
        })
      })
      assert.deepEqual(pick(await storage.repository('names').find(), 'name'), ['1', '2', '5'])
    },
  },
  {
    id: 'savepoints/given-up',
    title:
      'A transaction that rejects waits for no nested one: neither for one that is open nor for one that would be next',
    async run({ open }) {
      const storage = await open(schema)
      const nested: Promise<unknown>[] = []
      const wakeUp = Promise.withResolvers<void>()
      const work = storage.transaction(async (tx) => {
        await tx.repository('names').create({ name: 'outer' })
        const began = Promise.withResolvers<void>()
        const opened = tx.transaction(async (inner) => {
          await inner.repository('names').create({ name: 'inner' })
          const innermost = inner.transaction(async (deepest) => {
            await deepest.repository('names').create({ name: 'innermost' })
            began.resolve()
            await wakeUp.promise
            return 'ended'
          })
          nested.push(innermost)
          await innermost
          await inner.repository('names').create({ name: 'late' })
        })
        const next = tx.transaction((inner) => inner.repository('names').create({ name: 'next' }))
        for (const one of [opened, next]) one.catch(() => undefined)
        nested.push(opened, next)
        await began.promise
        throw new Error('mine')
      })
      await assert.rejects(work, /mine/)
      await storage.repository('names').create({ name: 'after' })
      // Who waits for them is told what became of them, and of what ends well there is no failure that nobody hears of.
      wakeUp.resolve()
      const [opened, next, innermost] = nested as [Promise<unknown>, Promise<unknown>, Promise<unknown>]
      await refused(() => opened, 'TRANSACTION_MISUSE')
      await refused(() => next, 'TRANSACTION_MISUSE')
      assert.equal(await innermost, 'ended')
      assert.deepEqual(pick(await storage.repository('names').find(), 'name'), ['after'])
    },
  },
  {
    id: 'savepoints/many',
    title: 'Fifty nested transactions one after the other, every third undone, leave what the others wrote',
    async run({ open }) {
      const storage = await open(schema)
      await storage.transaction(async (tx) => {
        for (let n = 0; n < 50; n++) {
          await tx
            .transaction(async (inner) => {
              await inner.repository('names').create({ name: `${n}`, n })
              if (n % 3 === 0) throw new Error('mine')
            })
            .catch((error: Error) => assert.equal(error.message, 'mine'))
        }
      })
      assert.equal(await storage.repository('names').count(), 33)
    },
  },
  {
    id: 'savepoints/at-once',
    title: 'Nested transactions that start at once run one after the other, and do not undo each other',
    async run({ open }) {
      const storage = await open(schema)
      await storage.transaction(async (tx) => {
        const outcomes = await Promise.allSettled(
          Array.from({ length: 10 }, (_, n) =>
            tx.transaction(async (inner) => {
              await inner.repository('names').create({ name: `${n}` })
              await inner.repository('counted').create({ name: `${n}` })
              if (n % 2 === 0) throw new Error('mine')
            }),
          ),
        )
        assert.equal(outcomes.filter(({ status }) => status === 'rejected').length, 5)
      })
      assert.deepEqual(pick(await storage.repository('names').find(), 'name'), ['1', '3', '5', '7', '9'])
      assert.equal(await storage.repository('counted').count(), 5)
    },
  },
  {
    id: 'savepoints/after-commit',
    title:
      'What a nested transaction wants done after the commit is done once the outer one commits, unless it was undone',
    async run({ open }) {
      const storage = await open(schema)
      const ran: string[] = []
      await storage.transaction(async (tx) => {
        tx.afterCommit(() => ran.push('outer'))
        await tx.transaction(async (inner) => inner.afterCommit(() => ran.push('inner')))
        await tx
          .transaction(async (inner) => {
            inner.afterCommit(() => ran.push('never'))
            throw new Error('mine')
          })
          .catch(() => undefined)
        await afterMs(0)
        assert.deepEqual(ran, [])
      })
      await afterMs(0)
      assert.deepEqual(ran, ['outer', 'inner'])
    },
  },
  {
    id: 'savepoints/swallowed',
    title: 'A failure swallowed inside a nested transaction undoes that one, and not the outer',
    async run({ open }) {
      const storage = await open(schema)
      await storage.repository('names').create({ name: 'taken' })
      await storage.transaction(async (tx) => {
        const nested = tx.transaction(async (inner) => {
          await inner.repository('names').create({ name: 'undone' })
          await inner
            .repository('names')
            .create({ name: 'taken' })
            .catch(() => undefined)
        })
        await refused(nested, 'TRANSACTION_FAILED')
        await tx.repository('names').create({ name: 'kept' })
      })
      assert.deepEqual(pick(await storage.repository('names').find(), 'name'), ['kept', 'taken'])
    },
  },
]
