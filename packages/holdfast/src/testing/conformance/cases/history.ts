import assert from 'node:assert/strict'
import { increment } from '../../../repository/index.ts'
import { defineSchema, documents, t, table } from '../../../schema/index.ts'
import type { Statement } from '../../../statement/index.ts'
import { pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  plans: table(
    { id: t.text().primaryKey(), name: t.text(), runs: t.integer().default(0), tags: t.json<string[]>().nullable() },
    { history: true, indexes: ['name'] },
  ),
  counted: table({ id: t.integer().primaryKey().generated(), n: t.integer() }, { history: true, versioned: true }),
  notes: documents<{ text: string; owner?: { team: string } }>({ history: true, indexes: ['owner.team'] }),
  pairs: table({ a: t.integer(), b: t.text(), n: t.integer() }, { primaryKey: ['a', 'b'], history: true }),
  plain: table({ id: t.text().primaryKey() }),
})

const START = Date.parse('2026-03-01T10:00:00Z')

/** A storage whose time a case sets; each write of it a second apart, where the case says so. */
async function openAt(open: Parameters<ConformanceCase['run']>[0]['open']) {
  const time = { now: START }
  const storage = await open(schema, { clock: { now: () => time.now } })
  return {
    storage,
    time,
    /** Lets a second pass, and gives the time before it. */
    tick() {
      time.now += 1_000
      return new Date(time.now - 1_000)
    },
  }
}

/** The versions of a record, as `version operation`. */
async function operations(
  repository: { history(id: never): Promise<{ version: number; operation: string }[]> },
  id: unknown,
) {
  return (await repository.history(wrong(id))).map(({ version, operation }) => `${version} ${operation}`)
}

/** Whether a statement is the transaction's own, and not of what settles in the background meanwhile. */
function isOwn(statement: Statement): boolean {
  if (statement.model === 'holdfastHistoryHeads') return false
  return !statement.model.endsWith('History') || (statement.kind === 'insert' && statement.onConflict === undefined)
}

export const historyCases: readonly ConformanceCase[] = [
  {
    id: 'history/versions',
    title: 'Every version of a record is kept, with what made it, who, and from when to when',
    async run({ open }) {
      const { storage, tick } = await openAt(open)
      const plans = storage.as('kim').repository('plans')
      await plans.create({ id: 'p', name: 'one', tags: ['x'] })
      tick()
      await plans.update('p', { name: 'two' })
      tick()
      await storage.repository('plans').delete('p')
      const [first, second, third, ...more] = await plans.history('p')
      assert.deepEqual(more, [])
      const at = (seconds: number) => new Date(START + seconds * 1_000)
      assert.deepEqual(
        { ...first, transaction: '' },
        {
          version: 1,
          operation: 'create',
          actor: 'kim',
          transaction: '',
          validFrom: at(0),
          validTo: at(1),
          record: { id: 'p', name: 'one', runs: 0, tags: ['x'] },
        },
      )
      assert.deepEqual(
        [second?.version, second?.operation, second?.actor, second?.validFrom, second?.validTo, second?.record],
        [2, 'update', 'kim', at(1), at(2), { id: 'p', name: 'two', runs: 0, tags: ['x'] }],
      )
      assert.deepEqual(
        [third?.version, third?.operation, third?.actor, third?.validFrom, third?.validTo, third?.record],
        [3, 'delete', null, at(2), null, { id: 'p', name: 'two', runs: 0, tags: ['x'] }],
      )
      assert.notEqual(first?.transaction, second?.transaction)
      assert.deepEqual(await plans.history('q'), [])
    },
  },
  {
    id: 'history/every-write',
    title: 'Whichever way a record is written, singly or many at once, the version is kept',
    async run({ open }) {
      const { storage } = await openAt(open)
      const plans = storage.repository('plans')
      await plans.createMany([
        { id: 'a', name: 'x' },
        { id: 'b', name: 'x' },
        { id: 'c', name: 'y' },
      ])
      assert.equal(await plans.updateMany({ name: 'x' }, { runs: increment(2) }), 2)
      await plans.upsert({ id: 'a', name: 'z' })
      await plans.upsert({ id: 'd', name: 'z' })
      await plans.upsert({ id: 'd', name: 'z' }, { update: { runs: increment(5) } })
      await plans.save({ id: 'c', name: 'saved' })
      assert.equal(await plans.deleteMany({ name: 'z' }), 2)
      assert.deepEqual(await operations(plans, 'a'), ['1 create', '2 update', '3 update', '4 delete'])
      assert.deepEqual(await operations(plans, 'b'), ['1 create', '2 update'])
      assert.deepEqual(await operations(plans, 'c'), ['1 create', '2 update'])
      assert.deepEqual(await operations(plans, 'd'), ['1 create', '2 update', '3 delete'])
      const runs = async (id: string) => (await plans.history(id)).map(({ record }) => record.runs)
      assert.deepEqual(
        [await runs('a'), await runs('b'), await runs('d')],
        [
          [0, 2, 2, 2],
          [0, 2],
          [0, 5, 5],
        ],
      )
      assert.equal(await plans.updateMany({ name: 'nobody' }, { runs: 1 }), 0)
      assert.equal(await plans.delete('nobody'), false)
      assert.deepEqual(await plans.history('nobody'), [])
    },
  },
  {
    id: 'history/kinds',
    title: 'Documents, versioned tables, counted keys and keys of several columns have histories like any other',
    async run({ open }) {
      const { storage } = await openAt(open)
      const notes = storage.repository('notes')
      const { id } = await notes.create({ text: 'one', owner: { team: 'x' } })
      await notes.update(id, { text: 'two' })
      await notes.updateMany({ 'owner.team': 'x' }, { owner: { team: 'y' } })
      const versions = await notes.history(id)
      assert.deepEqual(
        versions.map(({ record }) => [record.text, record.owner?.team, record.version]),
        [
          ['one', 'x', 1],
          ['two', 'x', 2],
          ['two', 'y', 3],
        ],
      )
      assert.deepEqual(versions[2]?.record, await notes.getById(id))
      const counted = storage.repository('counted')
      const made = await counted.createMany([{ n: 1 }, { n: 2 }])
      await counted.update(made[1]?.id as number, { n: 3 }, { ifVersion: 1 })
      assert.deepEqual(
        (await counted.history(made[1]?.id as number)).map(({ record }) => record),
        [
          { id: made[1]?.id, n: 2, version: 1 },
          { id: made[1]?.id, n: 3, version: 2 },
        ],
      )
      const pairs = storage.repository('pairs')
      await pairs.create({ a: 1, b: '2', n: 0 })
      await pairs.create({ a: 12, b: '', n: 0 })
      await pairs.update({ a: 1, b: '2' }, { n: 1 })
      assert.deepEqual(await operations(pairs, { a: 1, b: '2' }), ['1 create', '2 update'])
      assert.deepEqual(await operations(pairs, { a: 12, b: '' }), ['1 create'])
    },
  },
  {
    id: 'history/transaction',
    title:
      'What a transaction changes is kept exactly when it commits, all of one time and name, with one statement more',
    async run({ open }) {
      const { storage, tick } = await openAt(open)
      const plans = storage.repository('plans')
      await plans.create({ id: 'a', name: 'x' })
      tick()
      let statements = 0
      const failing = storage.transaction(async (tx) => {
        await tx.repository('plans').update('a', { name: 'undone' })
        throw new Error('mine')
      })
      await assert.rejects(failing, /mine/)
      await storage.as('lee').transaction(async (tx) => {
        const inside = tx.repository('plans')
        const end = storage.onStatement((statement) => {
          if (isOwn(statement)) statements++
        })
        tx.afterCommit(end)
        const updated = await inside.update('a', { name: 'y', tags: ['kept'] })
        // What is done with a record that was given changes nothing of its version.
        updated.tags?.push('not kept')
        updated.name = 'not kept'
        await inside.createMany([
          { id: 'b', name: 'x' },
          { id: 'c', name: 'x' },
        ])
        const part = tx.transaction(async (inner) => {
          await inner.repository('plans').update('b', { name: 'undone' })
          throw new Error('part')
        })
        await part.catch(() => undefined)
        await tx.transaction((inner) => inner.repository('plans').update('c', { name: 'z' }))
      })
      assert.equal(statements, 5, 'two updates, one that was undone, an insert, and one for the history')
      const versions = [...(await plans.history('a')), ...(await plans.history('b')), ...(await plans.history('c'))]
      assert.deepEqual(
        versions.map(({ record, operation, actor }) => [record.id, record.name, operation, actor]),
        [
          ['a', 'x', 'create', null],
          ['a', 'y', 'update', 'lee'],
          ['b', 'x', 'create', 'lee'],
          ['c', 'x', 'create', 'lee'],
          ['c', 'z', 'update', 'lee'],
        ],
      )
      assert.deepEqual(versions[1]?.record.tags, ['kept'])
      assert.equal(new Set(versions.slice(1).map(({ transaction }) => transaction)).size, 1)
      assert.equal(new Set(versions.slice(1).map(({ validFrom }) => validFrom.getTime())).size, 1)
    },
  },
  {
    id: 'history/not-awaited',
    title: 'The version of a write that nobody awaited is kept with it',
    async run({ open }) {
      const { storage } = await openAt(open)
      await storage.transaction(async (tx) => {
        void tx.repository('plans').create({ id: 'a', name: 'x' })
        void tx.transaction(async (inner) => void inner.repository('plans').create({ id: 'b', name: 'x' }))
      })
      const plans = storage.repository('plans')
      assert.deepEqual([await operations(plans, 'a'), await operations(plans, 'b')], [['1 create'], ['1 create']])
    },
  },
  {
    id: 'history/batch',
    title: 'A batch and a job keep the versions of what they write',
    async run({ open }) {
      const { storage } = await openAt(open)
      await storage.batch([
        { insert: 'plans', values: { id: 'a', name: 'x' } },
        { update: 'plans', id: 'a', set: { name: 'y' } },
        { delete: 'plans', id: 'a' },
      ])
      await storage.queue('work').enqueue({})
      await storage.queue('work').drain(async (_, { tx }) => {
        await tx.repository('plans').create({ id: 'b', name: 'x' })
      })
      const plans = storage.repository('plans')
      assert.deepEqual(await operations(plans, 'a'), ['1 create', '2 update', '3 delete'])
      assert.deepEqual(await operations(plans, 'b'), ['1 create'])
    },
  },
  {
    id: 'history/again',
    title: 'A record that is created again goes on with its versions',
    async run({ open }) {
      const { storage } = await openAt(open)
      const plans = storage.repository('plans')
      await plans.create({ id: 'a', name: 'one' })
      await plans.delete('a')
      await plans.create({ id: 'a', name: 'two' })
      await plans.delete('a')
      await plans.upsert({ id: 'a', name: 'three' })
      assert.deepEqual(await operations(plans, 'a'), ['1 create', '2 delete', '3 create', '4 delete', '5 create'])
    },
  },
  {
    id: 'history/together',
    title: 'Single writes of one tick share a transaction, and each has its own outcome',
    async run({ open }) {
      const { storage } = await openAt(open)
      const plans = storage.repository('plans')
      await plans.createMany(Array.from({ length: 16 }, (_, n) => ({ id: String(n), name: 'x' })))
      const before = storage.metrics().transactions.committed
      await Promise.all(Array.from({ length: 16 }, (_, n) => plans.update(String(n), { runs: n })))
      assert.equal(storage.metrics().transactions.committed - before, 1)
      const outcomes = await Promise.allSettled([
        plans.create({ id: 'new', name: 'x' }),
        plans.create({ id: '3', name: 'taken' }),
        plans.update('4', { runs: increment(1) }),
        plans.update('nobody', { runs: 1 }),
        storage.as('kim').repository('plans').delete('5'),
      ])
      assert.deepEqual(pick(outcomes, 'status'), ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'])
      assert.deepEqual(await operations(plans, 'new'), ['1 create'])
      assert.deepEqual(await operations(plans, '3'), ['1 create', '2 update'])
      assert.deepEqual((await plans.history('4')).at(-1)?.record.runs, 5)
      assert.equal((await plans.history('5')).at(-1)?.actor, 'kim')
      await storage.transaction(async () => {
        await refused(() => plans.update('1', { runs: 7 }), 'TRANSACTION_MISUSE')
      })
    },
  },
  {
    id: 'history/raced',
    title: 'Versions of one record written by many at once follow each other without gap or overlap',
    async run({ open, traits }) {
      const storage = await open(schema)
      const other = traits.sharedBetweenProcesses ? await open(schema) : storage
      await storage.repository('plans').create({ id: 'a', name: 'x' })
      const writers = Array.from({ length: 24 }, async (_, n) => {
        const here = (n % 2 === 0 ? storage : other).repository('plans')
        await here.update('a', { runs: increment(1) })
        if (n % 6 === 0) await here.history('a')
      })
      await Promise.all(writers)
      const versions = await storage.repository('plans').history('a')
      assert.deepEqual(
        versions.map(({ version, record }) => [version, record.runs]),
        Array.from({ length: 25 }, (_, n) => [n + 1, n]),
      )
      for (const [at, { validFrom, validTo }] of versions.entries())
        assert.deepEqual(validTo, versions[at + 1]?.validFrom ?? null, `${validFrom.toISOString()}`)
    },
  },
  {
    id: 'history/refused',
    title: 'A model without history, an invalid time and unknown options are refused',
    async run({ open }) {
      const { storage } = await openAt(open)
      const plain = storage.repository('plain')
      for (const call of [() => plain.history('a'), () => plain.asOf(new Date()), () => plain.revert('a', 1)])
        await refused(call, 'CONFIGURATION')
      await refused(() => storage.repository('plans').asOf(new Date(Number.NaN)), {
        code: 'VALIDATION',
        paths: ['date'],
      })
      await refused(
        () =>
          storage
            .repository('plans')
            .asOf(new Date())
            .find(wrong({ where: { nope: 1 } })),
        'VALIDATION',
      )
      await refused(
        () =>
          storage
            .repository('plans')
            .asOf(new Date())
            .find(wrong({ include: { x: true } })),
        'VALIDATION',
      )
      for (const history of [1, 'yes', { keepMs: -1 }, null])
        await refused(() => defineSchema({ a: table({ id: t.id() }, { history: wrong(history) }) }), 'CONFIGURATION')
      const taken = defineSchema({ a: table({ id: t.id() }, { history: true }), aHistory: table({ id: t.id() }) })
      await refused(() => open(taken), 'CONFIGURATION')
      const column = defineSchema({ a: table({ id: t.id(), historyKey: t.text() }, { history: true }) })
      await refused(() => open(column), 'CONFIGURATION')
    },
  },
]
