import assert from 'node:assert/strict'
import { defineSchema, documents, queue, t, table } from '../../../schema/index.ts'
import { collect, refused } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  rows: table({ id: t.integer().primaryKey(), text: t.text() }),
  docs: documents<{ n: number }>(),
  jobs: queue<string>(),
})

export const lifecycleCases: readonly ConformanceCase[] = [
  {
    id: 'lifecycle/closed',
    title: 'A closed storage refuses every call with CLOSED, and closing it again is fine',
    async run({ open }) {
      const storage = await open(schema)
      const rows = storage.repository('rows')
      await rows.create({ id: 1, text: 'a' })
      await Promise.all([storage.close(), storage.close()])
      await storage.close()
      const calls: (() => unknown)[] = [
        () => rows.create({ id: 2, text: 'b' }),
        () => rows.createMany([{ id: 2, text: 'b' }]),
        () => rows.findById(1),
        () => rows.find(),
        () => rows.page({ first: 1 }),
        () => rows.count(),
        () => rows.query().all(),
        () => collect(rows.stream()),
        () => rows.updateMany({}, { text: 'x' }),
        () => storage.transaction(async () => 1),
        () => storage.batch([]),
        () => storage.repository('docs').upsert({ id: 'a', n: 1 }),
        () => storage.repository('undeclared').find(),
        () => storage.queue('jobs').enqueue('a'),
        () => storage.queue('jobs').stats(),
      ]
      for (const call of calls) {
        const error = await refused(call, 'CLOSED')
        assert.equal(error.retryable, false)
      }
      const { ok, error } = await storage.health()
      assert.equal(ok, false)
      assert.match(error ?? '', /closed/)
    },
  },
  {
    id: 'lifecycle/health',
    title: 'health says that the database answers, by which backend and how fast',
    async run({ open }) {
      const health = await (await open(schema)).health()
      assert.deepEqual(
        { ...health, backend: typeof health.backend, latencyMs: health.latencyMs >= 0 },
        { ok: true, backend: 'string', latencyMs: true },
      )
    },
  },
  {
    id: 'lifecycle/close-drains',
    title: 'close lets the calls that were made before it come to their end',
    async run({ open }) {
      const storage = await open(schema)
      const rows = storage.repository('rows')
      await rows.createMany(Array.from({ length: 2_000 }, (_, id) => ({ id, text: `${id}` })))
      const begun = Promise.withResolvers<void>()
      const calls = [
        ...Array.from({ length: 50 }, (_, index) => rows.create({ id: 10_000 + index, text: 'late' })),
        ...Array.from({ length: 20 }, () => rows.count()),
        rows.updateMany({ id: { lt: 2_000 } }, { text: 'x' }),
        storage.transaction(async (tx) => {
          begun.resolve()
          await tx.repository('rows').create({ id: 20_000, text: 'late' })
          return tx.repository('rows').update(20_000, { text: 'later' })
        }),
      ]
      await begun.promise
      const closing = storage.close()
      const outcomes = await Promise.allSettled(calls)
      await closing
      assert.deepEqual(
        outcomes.filter(({ status }) => status === 'rejected'),
        [],
      )
    },
  },
  {
    id: 'lifecycle/close-drains-to-disk',
    title: 'What was written in the tick of close is there afterwards exactly if its call resolved',
    needs: ['persistent'],
    async run({ open }) {
      const storage = await open(schema)
      const writes = Array.from({ length: 20 }, (_, id) => storage.repository('rows').create({ id, text: 'a' }))
      const closing = storage.close()
      const outcomes = await Promise.allSettled(writes)
      await closing
      const stored = new Set((await (await open(schema)).repository('rows').find()).map(({ id }) => id))
      for (const [id, { status }] of outcomes.entries())
        assert.equal(stored.has(id), status === 'fulfilled', String(id))
    },
  },
  {
    id: 'lifecycle/open-transaction',
    title: 'close waits for an open transaction, whose later calls still work',
    async run({ open }) {
      const storage = await open(schema)
      const opened = Promise.withResolvers<void>()
      const goOn = Promise.withResolvers<void>()
      const work = storage.transaction(async (tx) => {
        await tx.repository('rows').create({ id: 1, text: 'a' })
        opened.resolve()
        await goOn.promise
        await tx.repository('rows').create({ id: 2, text: 'b' })
        return tx.repository('rows').count()
      })
      await opened.promise
      const closing = storage.close()
      goOn.resolve()
      assert.equal(await work, 2)
      await closing
    },
  },
  {
    id: 'lifecycle/open-stream',
    title: 'A storage closes while a stream is half read, and the reader hears of it or comes to the end',
    async run({ open }) {
      const storage = await open(schema)
      const rows = storage.repository('rows')
      await rows.createMany(Array.from({ length: 3_000 }, (_, id) => ({ id, text: 'x' })))
      const stream = rows.stream()
      await stream.next()
      const closing = storage.close()
      let read = 1
      try {
        for await (const _ of stream) read++
        assert.equal(read, 3_000)
      } catch (error) {
        assert.equal((error as { code?: unknown }).code, 'CLOSED')
      }
      await closing
    },
  },
  {
    id: 'lifecycle/await-using',
    title: 'await using closes a storage at the end of its block',
    async run({ open }) {
      let rows: { count(): Promise<number> } | undefined
      {
        await using storage = await open(schema)
        rows = storage.repository('rows')
        assert.equal(await rows.count(), 0)
      }
      await refused(() => rows?.count(), 'CLOSED')
    },
  },
]
