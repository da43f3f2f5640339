import assert from 'node:assert/strict'
import { setTimeout as afterMs } from 'node:timers/promises'
import { increment } from '../../../repository/index.ts'
import { defineSchema, documents, t, table } from '../../../schema/index.ts'
import { collect, pick, refused, refusedWhole, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  accounts: table({ id: t.text().primaryKey(), balance: t.integer().check({ gte: 0 }) }),
  log: table({ id: t.integer().primaryKey().generated(), text: t.text() }),
  notes: documents<{ slug: string; seen?: number }>({ unique: ['slug'] }),
  checked: documents<{ n: number }>({
    schema: {
      '~standard': { version: 1, vendor: 'conformance', validate: (value) => ({ value: value as { n: number } }) },
    },
  }),
})

export const transactionCases: readonly ConformanceCase[] = [
  {
    id: 'transactions/commit',
    title: 'A transaction sees its own writes, gives what its function gives, and takes effect as a whole',
    async run({ open }) {
      const storage = await open(schema)
      const accounts = storage.repository('accounts')
      const given = await storage.transaction(async (tx) => {
        const mine = tx.repository('accounts')
        await mine.createMany([
          { id: 'a', balance: 10 },
          { id: 'b', balance: 0 },
        ])
        await mine.update('a', { balance: increment(-3) })
        await mine.upsert({ id: 'b', balance: 3 })
        assert.deepEqual(pick(await mine.find(), 'balance'), [7, 3])
        assert.equal(await mine.count({ balance: { gt: 5 } }), 1)
        assert.equal(await mine.delete('b'), true)
        assert.equal(await mine.findById('b'), null)
        await mine.create({ id: 'b', balance: 3 })
        return 'given'
      })
      assert.equal(given, 'given')
      assert.deepEqual(pick(await accounts.find(), 'balance'), [7, 3])
      assert.equal(await storage.transaction(async () => 5), 5)
    },
  },
  {
    id: 'transactions/rollback',
    title: 'A transaction whose function rejects or throws leaves nothing, and rejects with the very same reason',
    async run({ open }) {
      const storage = await open(schema)
      const accounts = storage.repository('accounts')
      await accounts.create({ id: 'a', balance: 1 })
      const reasons = [new Error('mine'), undefined, 'a text', { code: 'SERIALIZATION_OF_MINE' }]
      for (const reason of reasons) {
        let runs = 0
        const work = storage.transaction(async (tx) => {
          runs++
          await tx.repository('accounts').update('a', { balance: 9 })
          await tx.repository('accounts').create({ id: 'b', balance: 9 })
          await tx.repository('accounts').deleteMany({ id: 'a' })
          throw reason
        })
        const caught = await work.then(
          () => assert.fail(),
          (error: unknown) => ({ error }),
        )
        assert.equal(caught.error, reason)
        assert.equal(runs, 1)
      }
      const thrown = storage.transaction(() => {
        throw reasons[0]
      })
      await assert.rejects(thrown, (error) => error === reasons[0])
      assert.deepEqual(await accounts.find(), [{ id: 'a', balance: 1 }])
    },
  },
  {
    id: 'transactions/not-seen-before',
    title: 'Nobody sees the writes of a transaction before it commits',
    async run({ open }) {
      const storage = await open(schema)
      const accounts = storage.repository('accounts')
      await accounts.create({ id: 'a', balance: 1 })
      const written = Promise.withResolvers<void>()
      const seen = Promise.withResolvers<void>()
      const work = storage.transaction(async (tx) => {
        await tx.repository('accounts').update('a', { balance: 2 })
        await tx.repository('accounts').create({ id: 'b', balance: 2 })
        written.resolve()
        await seen.promise
      })
      await written.promise
      assert.deepEqual(await accounts.find(), [{ id: 'a', balance: 1 }])
      assert.equal((await collect(accounts.stream())).length, 1)
      assert.equal(await storage.transaction((tx) => tx.repository('accounts').count(), { readOnly: true }), 1)
      seen.resolve()
      await work
      assert.deepEqual(pick(await accounts.find(), 'balance'), [2, 2])
    },
  },
  {
    id: 'transactions/lost-update',
    title: 'Of 24 transactions that read a number and write it back plus one, none is lost',
    async run({ open }) {
      const storage = await open(schema)
      await storage.repository('accounts').create({ id: 'a', balance: 0 })
      const bump = () =>
        storage.transaction(
          async (tx) => {
            const { balance } = await tx.repository('accounts').getById('a')
            await tx.repository('accounts').update('a', { balance: balance + 1 })
          },
          { retries: 200 },
        )
      await Promise.all(Array.from({ length: 24 }, bump))
      assert.equal((await storage.repository('accounts').getById('a')).balance, 24)
    },
  },
  {
    id: 'transactions/after-commit',
    title:
      'afterCommit runs once, in order and after the commit, however often the transaction was tried; never after a rollback',
    async run({ open }) {
      const storage = await open(schema)
      await storage.repository('accounts').create({ id: 'a', balance: 0 })
      const ran: string[] = []
      const counted = Array.from({ length: 8 }, (_, index) =>
        storage.transaction(
          async (tx) => {
            tx.afterCommit(() => ran.push(`${index}`))
            const { balance } = await tx.repository('accounts').getById('a')
            await tx.repository('accounts').update('a', { balance: balance + 1 })
          },
          { retries: 200 },
        ),
      )
      await Promise.all(counted)
      await afterMs(0)
      assert.deepEqual(ran.toSorted(), ['0', '1', '2', '3', '4', '5', '6', '7'])
      ran.length = 0
      await refused(
        () =>
          storage.transaction(async (tx) => {
            tx.afterCommit(() => ran.push('never'))
            await tx.repository('accounts').create({ id: 'a', balance: 0 })
          }),
        'CONFLICT_UNIQUE',
      )
      await storage.transaction(async (tx) => {
        tx.afterCommit(() => ran.push('one'))
        await tx.repository('accounts').update('a', { balance: 99 })
        tx.afterCommit(() => ran.push('two'))
        assert.deepEqual(ran, [])
      })
      await afterMs(0)
      assert.deepEqual(ran, ['one', 'two'])
    },
  },
  {
    id: 'transactions/synchronous',
    title: 'A transaction, and a part of one, may be a function that waits for nothing',
    async run({ open }) {
      const storage = await open(schema)
      assert.equal(await storage.transaction(() => 5), 5)
      assert.equal(await storage.transaction((tx) => tx.transaction(() => 6)), 6)
      const broken = new Error('broken')
      const fail = () => {
        throw broken
      }
      await assert.rejects(storage.transaction(fail), broken)
      await assert.rejects(
        storage.transaction((tx) => tx.transaction(fail)),
        broken,
      )
      assert.equal(await storage.transaction((tx) => tx.transaction(fail).catch(() => 7)), 7)
    },
  },
  {
    id: 'transactions/read-only',
    title: 'A readOnly transaction sees one state from start to end and refuses every write',
    async run({ open }) {
      const storage = await open(schema)
      const accounts = storage.repository('accounts')
      await accounts.create({ id: 'a', balance: 1 })
      const looked = Promise.withResolvers<void>()
      const written = Promise.withResolvers<void>()
      const counting = storage.transaction(
        async (tx) => {
          const before = await tx.repository('accounts').count()
          looked.resolve()
          await written.promise
          return [before, await tx.repository('accounts').count(), (await tx.repository('accounts').find()).length]
        },
        { readOnly: true },
      )
      await looked.promise
      await accounts.create({ id: 'b', balance: 1 })
      written.resolve()
      assert.deepEqual(await counting, [1, 1, 1])
      assert.equal(await accounts.count(), 2)
      const writes: ((tx: Parameters<Parameters<typeof storage.transaction>[0]>[0]) => Promise<unknown>)[] = [
        (tx) => tx.repository('accounts').create({ id: 'c', balance: 1 }),
        (tx) => tx.repository('accounts').updateMany({}, { balance: 5 }),
        (tx) => tx.repository('accounts').delete('a'),
        (tx) => tx.repository('accounts').upsert({ id: 'a', balance: 5 }),
      ]
      for (const write of writes)
        await refusedWhole(accounts, () => storage.transaction(write, { readOnly: true }), 'READ_ONLY')
    },
  },
  {
    id: 'transactions/time-limit',
    title: 'A transaction that takes longer than its timeoutMs is rolled back with TimeoutError, and holds nobody up',
    async run({ open }) {
      const storage = await open(schema)
      const accounts = storage.repository('accounts')
      await accounts.create({ id: 'a', balance: 1 })
      const forgotten = Promise.withResolvers<void>()
      const slow = () =>
        storage.transaction(
          async (tx) => {
            await tx.repository('accounts').update('a', { balance: 9 })
            await forgotten.promise
          },
          { timeoutMs: 100 },
        )
      await refused(slow, 'TIMEOUT')
      assert.equal((await accounts.update('a', { balance: increment(1) })).balance, 2)
      forgotten.resolve()
      await afterMs(0)
      assert.equal((await accounts.getById('a')).balance, 2)
    },
  },
  {
    id: 'transactions/time-limit-nested',
    title: 'The time limit of a transaction holds while a nested one is open, and leaves nothing of either',
    async run({ open }) {
      const storage = await open(schema)
      const accounts = storage.repository('accounts')
      const slow = () =>
        storage.transaction(
          async (tx) => {
            await tx.repository('accounts').create({ id: 'a', balance: 1 })
            await tx.transaction(async (inner) => {
              await inner.repository('accounts').create({ id: 'b', balance: 1 })
              await new Promise(() => undefined)
            })
          },
          { timeoutMs: 100 },
        )
      await refused(slow, 'TIMEOUT')
      assert.equal(await accounts.count(), 0)
      await accounts.create({ id: 'a', balance: 2 })
    },
  },
  {
    id: 'transactions/time-limit-late-writes',
    title: 'A function that goes on after the time limit of its transaction can write nothing',
    async run({ open }) {
      const storage = await open(schema)
      const accounts = storage.repository('accounts')
      await accounts.create({ id: 'a', balance: 1 })
      const late = Promise.withResolvers<unknown>()
      const work = storage.transaction(
        async (tx) => {
          await afterMs(150)
          late.resolve(
            await tx
              .repository('accounts')
              .update('a', { balance: 9 })
              .catch((error: unknown) => error),
          )
        },
        { timeoutMs: 50 },
      )
      await refused(work, 'TIMEOUT')
      const error = await late.promise
      assert.ok(error instanceof Error, 'the late write was not refused')
      assert.equal((await accounts.getById('a')).balance, 1)
    },
  },
  {
    id: 'transactions/not-awaited',
    title: 'A write that nobody awaited is part of its transaction, and its failure is not lost',
    async run({ open }) {
      const storage = await open(schema)
      const accounts = storage.repository('accounts')
      await storage.transaction(async (tx) => {
        void tx.repository('accounts').create({ id: 'a', balance: 1 })
      })
      assert.equal(await accounts.count(), 1)
      const work = () =>
        storage.transaction(async (tx) => {
          tx.repository('accounts')
            .create({ id: 'b', balance: 1 })
            .catch(() => undefined)
          tx.repository('accounts')
            .create({ id: 'a', balance: 1 })
            .catch(() => undefined)
        })
      await refusedWhole(accounts, work, 'TRANSACTION_FAILED')
    },
  },
  {
    id: 'transactions/parallel-use',
    title: 'Calls made at once inside one transaction each have their own result',
    async run({ open }) {
      const storage = await open(schema)
      await storage.transaction(async (tx) => {
        const accounts = tx.repository('accounts')
        const made = await Promise.all(
          Array.from({ length: 40 }, (_, index) => accounts.create({ id: `${index}`, balance: index })),
        )
        assert.deepEqual(
          pick(made, 'balance'),
          Array.from({ length: 40 }, (_, index) => index),
        )
        const read = await Promise.all(
          made.map(({ id }, index) =>
            index % 2 === 0 ? accounts.getById(id) : accounts.update(id, { balance: increment(100) }),
          ),
        )
        assert.deepEqual(
          pick(read, 'balance'),
          made.map(({ balance }, index) => (index % 2 === 0 ? balance : balance + 100)),
        )
      })
      assert.equal(await storage.repository('accounts').count(), 40)
    },
  },
  {
    id: 'transactions/documents-beside-others',
    title: 'Documents are upserted and changed beside whatever else a transaction does at once',
    async run({ open }) {
      const storage = await open(schema)
      await storage.transaction(async (tx) => {
        const [notes, checked, log] = [tx.repository('notes'), tx.repository('checked'), tx.repository('log')]
        const work = Array.from({ length: 6 }, async (_, n) => {
          await notes.upsert({ id: `${n}`, slug: `${n % 3}` }, { on: 'slug', update: { seen: increment(1) } })
          await log.create({ text: `${n}` })
          await checked.upsert({ id: `${n % 3}`, n: 1 })
          await checked.updateMany({ id: `${n % 3}` }, { n: increment(1) })
          await log.create({ text: `${n}` })
        })
        await Promise.all(work)
      })
      assert.deepEqual(pick(await storage.repository('notes').find({ orderBy: { slug: 'asc' } }), 'seen'), [1, 1, 1])
      assert.equal(await storage.repository('log').count(), 12)
      assert.equal(await storage.repository('checked').count({ n: { gte: 2 } }), 3)
    },
  },
  {
    id: 'transactions/failure-beside-others',
    title:
      'Of calls made at once in a transaction the one that fails says why, and no other fails for a reason of its own',
    async run({ open }) {
      const storage = await open(schema)
      const accounts = storage.repository('accounts')
      await accounts.create({ id: 'taken', balance: 1 })
      const work = () =>
        storage.transaction(async (tx) => {
          const outcomes = await Promise.allSettled(
            ['a', 'b', 'taken', 'c', 'd'].map((id) => tx.repository('accounts').create({ id, balance: 1 })),
          )
          const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'done'))
          assert.deepEqual(codes.slice(0, 3), ['done', 'done', 'CONFLICT_UNIQUE'])
          for (const code of codes.slice(3)) assert.ok(['done', 'TRANSACTION_FAILED'].includes(code), code)
        })
      await refusedWhole(accounts, work, 'TRANSACTION_FAILED')
    },
  },
  {
    id: 'transactions/time-limit-waiting',
    title:
      'A transaction that waits for another until its time is over gives up with TimeoutError, and does nothing later',
    async run({ open }) {
      const storage = await open(schema)
      const accounts = storage.repository('accounts')
      await accounts.create({ id: 'a', balance: 1 })
      const held = Promise.withResolvers<void>()
      const release = Promise.withResolvers<void>()
      const holder = storage.transaction(async (tx) => {
        await tx.repository('accounts').update('a', { balance: 2 })
        held.resolve()
        await release.promise
      })
      await held.promise
      const waiting = () =>
        storage.transaction((tx) => tx.repository('accounts').update('a', { balance: 9 }), { timeoutMs: 150 })
      await refused(waiting, 'TIMEOUT')
      release.resolve()
      await holder
      assert.equal((await accounts.getById('a')).balance, 2)
      assert.equal((await accounts.update('a', { balance: 3 })).balance, 3)
    },
  },
  {
    id: 'transactions/many-at-once',
    title: 'Thirty transactions at once all come to their end',
    async run({ open }) {
      const storage = await open(schema)
      const work = (index: number) =>
        storage.transaction(
          async (tx) => {
            await tx.repository('accounts').create({ id: `${index}`, balance: index })
            await tx.repository('log').create({ text: `${index}` })
            if (index % 3 === 0) throw new Error('mine')
          },
          { retries: 200 },
        )
      const outcomes = await Promise.allSettled(Array.from({ length: 30 }, (_, index) => work(index)))
      assert.equal(outcomes.filter(({ status }) => status === 'rejected').length, 10)
      assert.equal(await storage.repository('accounts').count(), 20)
      assert.equal(await storage.repository('log').count(), 20)
    },
  },
  {
    id: 'transactions/levels',
    title: 'The isolation levels of SQL are all taken, and another is refused',
    async run({ open }) {
      const storage = await open(schema)
      for (const isolation of ['serializable', 'repeatable read', 'read committed'] as const) {
        await storage.transaction((tx) => tx.repository('accounts').create({ id: isolation, balance: 1 }), {
          isolation,
        })
      }
      assert.equal(await storage.repository('accounts').count(), 3)
      const bad: readonly (readonly [object, string])[] = [
        [{ isolation: 'dirty' }, 'isolation'],
        [{ isolation: 'serializable; drop table accounts' }, 'isolation'],
        [{ timeoutMs: -1 }, 'timeoutMs'],
        [{ timeoutMs: Number.NaN }, 'timeoutMs'],
        [{ timeoutMs: '5' }, 'timeoutMs'],
        [{ retries: 1.5 }, 'retries'],
        [{ retries: -1 }, 'retries'],
        [{ retry: 5 }, 'retry'],
      ]
      for (const [options, path] of bad) {
        await refused(() => storage.transaction(async () => 1, wrong(options)), { code: 'VALIDATION', paths: [path] })
      }
    },
  },
  {
    id: 'transactions/metrics',
    title:
      'metrics counts statements, failures, commits and rollbacks; onStatement hears every statement until it is ended',
    async run({ open }) {
      const storage = await open(schema)
      const heard: string[] = []
      const end = storage.onStatement(({ kind, model }) => heard.push(`${kind} ${model}`))
      await storage.repository('accounts').create({ id: 'a', balance: 1 })
      await refused(
        () => storage.transaction((tx) => tx.repository('accounts').create({ id: 'a', balance: 1 })),
        'CONFLICT_UNIQUE',
      )
      await storage.transaction((tx) => tx.repository('accounts').find())
      end()
      await storage.repository('log').count()
      assert.deepEqual(heard, ['insert accounts', 'insert accounts', 'select accounts'])
      const { statements, failures, transactions } = storage.metrics()
      assert.deepEqual(
        { statements, failures, transactions },
        {
          statements: 4,
          failures: 1,
          transactions: { committed: 1, rolledBack: 1, retried: 0 },
        },
      )
    },
  },
]
