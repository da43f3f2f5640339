import assert from 'node:assert/strict'
import { defineSchema, documents, queue, t, table } from '../../../schema/index.ts'
import type { Transaction } from '../../../storage/index.ts'
import { collect, pick, refused, refusedWhole } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  names: table({ name: t.text().primaryKey(), n: t.integer().nullable() }),
  notes: documents<{ slug?: string }>({ unique: ['slug'] }),
  jobs: queue<string>(),
})

export const misuseCases: readonly ConformanceCase[] = [
  {
    id: 'misuse/storage-inside',
    title: 'Any use of the storage itself inside a transaction of it is refused, and the transaction can go on',
    async run({ open }) {
      const storage = await open(schema)
      const names = storage.repository('names')
      const uses: (() => unknown)[] = [
        () => names.create({ name: 'a' }),
        () => names.find(),
        () => names.findById('a'),
        () => names.upsert({ name: 'a' }),
        () => names.deleteMany({}),
        () => names.aggregate({ groupBy: { n: 'n' }, select: {} }),
        () => names.query().all(),
        () => collect(names.stream()),
        () => storage.transaction(async () => 1),
        () => storage.batch([{ insert: 'names', values: { name: 'a' } }]),
        () => storage.queue('jobs').enqueue('a'),
        () => storage.queue('jobs').dequeue(),
        () => storage.repository('undeclared').create({ a: 1 }),
        () => storage.close(),
      ]
      await storage.transaction(async (tx) => {
        await tx.repository('names').create({ name: 'mine' })
        for (const use of uses) await refused(use, 'TRANSACTION_MISUSE')
        await tx.transaction(async () => refused(uses[0] as () => unknown, 'TRANSACTION_MISUSE'))
      })
      assert.deepEqual(pick(await names.find(), 'name'), ['mine'])
      assert.equal(await storage.queue('jobs').dequeue(), null)
    },
  },
  {
    id: 'misuse/meanwhile',
    title: 'What other parts of the program do with the storage meanwhile is not refused',
    async run({ open }) {
      const storage = await open(schema)
      const inside = Promise.withResolvers<void>()
      const done = Promise.withResolvers<void>()
      const work = storage.transaction(async (tx) => {
        await tx.repository('names').create({ name: 'inside' })
        inside.resolve()
        await done.promise
      })
      await inside.promise
      assert.deepEqual(await storage.repository('names').find(), [])
      const other = storage.repository('names').create({ name: 'outside' })
      done.resolve()
      await work
      assert.equal((await other).name, 'outside')
      assert.equal(await storage.repository('names').count(), 2)
    },
  },
  {
    id: 'misuse/after-the-end',
    title: 'A transaction that has ended does nothing more: it does not write by itself, whichever way it ended',
    async run({ open }) {
      const storage = await open(schema)
      const names = storage.repository('names')
      const ended: Transaction<typeof schema>[] = []
      await storage.transaction(async (tx) => {
        ended.push(tx)
        await tx.transaction(async (inner) => ended.push(inner))
        await refused(() => ended[1]?.repository('names').create({ name: 'a' }), 'TRANSACTION_MISUSE')
      })
      await assert.rejects(storage.transaction(async (tx) => Promise.reject(void ended.push(tx))))
      for (const tx of ended) {
        await refusedWhole(names, () => tx.repository('names').create({ name: 'a' }), 'TRANSACTION_MISUSE')
        await refused(() => tx.repository('names').find(), 'TRANSACTION_MISUSE')
        await refused(() => collect(tx.repository('names').stream()), 'TRANSACTION_MISUSE')
        await refused(() => tx.transaction(async () => 1), 'TRANSACTION_MISUSE')
        await refused(() => tx.queue('jobs').enqueue('a'), 'TRANSACTION_MISUSE')
      }
      assert.equal(await storage.queue('jobs').dequeue(), null)
    },
  },
  {
    id: 'misuse/outer-while-nested',
    title: 'The outer transaction is refused while a nested one is open: its writes would be undone with it',
    async run({ open }) {
      const storage = await open(schema)
      await storage.transaction(async (tx) => {
        await tx.transaction(async (inner) => {
          await refused(() => tx.repository('names').create({ name: 'a' }), 'TRANSACTION_MISUSE')
          await inner.repository('names').create({ name: 'b' })
        })
        await tx.repository('names').create({ name: 'c' })
      })
      assert.deepEqual(pick(await storage.repository('names').find(), 'name'), ['b', 'c'])
    },
  },
  {
    id: 'misuse/swallowed-failure',
    title: 'After a failed statement whose error was swallowed the transaction refuses statements and does not commit',
    async run({ open }) {
      const storage = await open(schema)
      const names = storage.repository('names')
      await names.create({ name: 'taken' })
      const work = () =>
        storage.transaction(async (tx) => {
          await tx.repository('names').create({ name: 'before' })
          await refused(() => tx.repository('names').create({ name: 'taken' }), 'CONFLICT_UNIQUE')
          await refused(() => tx.repository('names').find(), 'TRANSACTION_FAILED')
          await refused(() => tx.transaction(async () => 1), 'TRANSACTION_FAILED')
        })
      const error = await refusedWhole(names, work, 'TRANSACTION_FAILED')
      assert.equal((error.cause as { code?: unknown }).code, 'CONFLICT_UNIQUE')
    },
  },
  {
    id: 'misuse/swallowed-conflict-of-documents',
    title:
      'An upsert of a document that collides with another fails its transaction as every statement does that fails',
    async run({ open }) {
      const storage = await open(schema)
      const notes = storage.repository('notes')
      await notes.create({ id: 'taken', slug: 'a' })
      const colliding = [
        [{ id: 'b', slug: 'a' }, {}],
        [{ id: 'taken', slug: 'b' }, { on: 'slug' }],
      ] as const
      for (const [note, options] of colliding) {
        const work = () =>
          storage.transaction(async (tx) => {
            await refused(() => tx.repository('notes').upsert(note, options), 'CONFLICT_UNIQUE')
            await refused(() => tx.repository('notes').find(), 'TRANSACTION_FAILED')
          })
        await refusedWhole(notes, work, 'TRANSACTION_FAILED')
      }
    },
  },
  {
    id: 'misuse/refused-input-fails-nothing',
    title: 'Input that is refused, a record that is not there and one of another version do not fail a transaction',
    async run({ open }) {
      const storage = await open(schema)
      await storage.transaction(async (tx) => {
        const names = tx.repository('names')
        await refused(() => names.create({ name: 5 as never }), 'VALIDATION')
        await refused(() => names.find({ where: { nope: 1 } as never }), 'VALIDATION')
        await refused(() => collect(names.stream({ limit: -1 })), 'VALIDATION')
        await refused(() => names.getById('nobody'), 'NOT_FOUND')
        await refused(() => names.update('nobody', { n: 1 }), 'NOT_FOUND')
        const { id } = await tx.repository('notes').create({})
        await refused(() => tx.repository('notes').update(id, { slug: 'a' }, { ifVersion: 9 }), 'CONFLICT_VERSION')
        await names.create({ name: 'a' })
      })
      assert.equal(await storage.repository('names').count(), 1)
    },
  },
  {
    id: 'misuse/two-storages',
    title: 'Another storage may be used inside a transaction',
    needs: ['skipsLocked', 'persistent'],
    async run({ open }) {
      const one = await open(schema)
      const two = await open(schema)
      await one.transaction(async (tx) => {
        await tx.repository('names').create({ name: 'a' })
        await two.repository('names').create({ name: 'b' })
        await two.transaction((other) => other.repository('names').create({ name: 'c' }))
      })
      assert.equal(await two.repository('names').count(), 3)
    },
  },
]
