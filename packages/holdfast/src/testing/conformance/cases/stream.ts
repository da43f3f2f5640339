import assert from 'node:assert/strict'
import { defineSchema, t, table } from '../../../schema/index.ts'
import { collect, pick, refused } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema(
  {
    rows: table({ id: t.integer().primaryKey(), text: t.text(), at: t.timestamp() }),
    parts: table({ id: t.integer().primaryKey(), rowId: t.integer() }, { indexes: ['rowId'] }),
  },
  ({ many }) => ({ rows: { parts: many('parts', 'rowId') } }),
)
const some = (count: number) => Array.from({ length: count }, (_, id) => ({ id, text: `text ${id}`, at: new Date(id) }))

export const streamCases: readonly ConformanceCase[] = [
  {
    id: 'stream/same-as-find',
    title: 'stream gives what find gives, in the same order, however many records there are',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany(some(5_000))
      const query = { where: { id: { gte: 10 } }, orderBy: { text: 'desc' }, select: ['text', 'at'] } as const
      assert.deepEqual(await collect(rows.stream(query)), await rows.find(query))
      assert.deepEqual(
        await collect(rows.stream({ limit: 3, offset: 4_000 })),
        await rows.find({ limit: 3, offset: 4_000 }),
      )
      assert.deepEqual(await collect(rows.stream({ where: { id: -1 } })), [])
      const joined = rows
        .query()
        .where({ id: { lt: 2_500 } })
        .select({ n: 'id' })
        .orderBy({ n: 'desc' })
      assert.deepEqual(await collect(joined.stream()), await joined.all())
    },
  },
  {
    id: 'stream/snapshot',
    title: 'A stream sees the data as it was when it began, whatever is written while it runs',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany(some(3_000))
      let seen = 0
      for await (const { id, text } of rows.stream()) {
        assert.equal(text, `text ${id}`)
        if (seen++ % 1_000 === 5) {
          await rows.updateMany({ id: { gt: id, lt: 3_000 } }, { text: 'changed' })
          await rows.deleteMany({ id: { gt: 2_900 } })
          await rows.create({ id: 10_000 + seen, text: 'new', at: new Date() })
        }
      }
      assert.equal(seen, 3_000)
      assert.equal(await rows.count({ text: 'new' }), 1) // Each round deletes what the one before it wrote.
    },
  },
  {
    id: 'stream/left-early',
    title: 'A stream that is left early, or whose reader throws, holds nothing up: writes and other streams go on',
    async run({ open }) {
      const storage = await open(schema)
      const rows = storage.repository('rows')
      await rows.createMany(some(3_000))
      for (let round = 0; round < 30; round++) {
        for await (const { id } of rows.stream()) if (id === round * 50) break
      }
      const reading = async () => {
        for await (const _ of rows.stream()) throw new Error('mine')
      }
      await assert.rejects(reading, /mine/)
      assert.equal(await rows.updateMany({}, { text: 'x' }), 3_000)
      assert.equal((await collect(rows.stream({ where: { text: 'x' } }))).length, 3_000)
    },
  },
  {
    id: 'stream/several',
    title: 'Several streams and queries run at once',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      await rows.createMany(some(2_500))
      const streams = Array.from({ length: 6 }, () => collect(rows.stream({ select: ['id'] })))
      const counts = Array.from({ length: 6 }, () => rows.count())
      for (const ids of await Promise.all(streams)) assert.equal(ids.length, 2_500)
      assert.deepEqual(
        await Promise.all(counts),
        Array.from({ length: 6 }, () => 2_500),
      )
    },
  },
  {
    id: 'stream/include',
    title: 'A stream loads relations batch by batch',
    async run({ open }) {
      const storage = await open(schema)
      await storage.repository('rows').createMany(some(1_500))
      await storage
        .repository('parts')
        .createMany(Array.from({ length: 3_000 }, (_, id) => ({ id, rowId: id % 1_500 })))
      let seen = 0
      for await (const { id, parts } of storage.repository('rows').stream({ include: { parts: true } })) {
        assert.deepEqual(pick(parts, 'id'), [id, id + 1_500])
        seen++
      }
      assert.equal(seen, 1_500)
    },
  },
  {
    id: 'stream/transaction',
    title: 'A stream of a transaction sees its writes, and the transaction goes on after it',
    async run({ open }) {
      const storage = await open(schema)
      await storage.repository('rows').createMany(some(1_200))
      await storage.transaction(async (tx) => {
        await tx.repository('rows').create({ id: 5_000, text: 'mine', at: new Date(0) })
        assert.equal((await collect(tx.repository('rows').stream())).at(-1)?.text, 'mine')
        for await (const { id } of tx.repository('rows').stream()) if (id === 10) break
        await tx.repository('rows').create({ id: 5_001, text: 'mine', at: new Date(0) })
      })
      assert.equal(await storage.repository('rows').count({ text: 'mine' }), 2)
    },
  },
  {
    id: 'stream/refused',
    title: 'A stream of a bad query is refused when it is read, and not before',
    async run({ open }) {
      const rows = (await open(schema)).repository('rows')
      const stream = rows.stream({ where: { nope: 1 } as never })
      await refused(() => collect(stream), { code: 'VALIDATION', paths: ['where.nope'] })
    },
  },
]
