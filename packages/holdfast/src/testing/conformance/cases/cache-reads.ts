import assert from 'node:assert/strict'
import { count, sum } from '../../../repository/index.ts'
import { defineSchema, documents, t, table } from '../../../schema/index.ts'
import { refused, wrong } from '../assertions.ts'
import type { ConformanceCase, ConformanceContext } from '../case.ts'

const schema = defineSchema(
  {
    teams: table({ id: t.text().primaryKey() }),
    users: table(
      {
        id: t.integer().primaryKey(),
        team: t.text().references('teams', { onDelete: 'cascade' }),
        since: t.timestamp(),
        photo: t.bytes().nullable(),
        tags: t.json<string[]>(),
        score: t.bigint().default(0n),
      },
      { cache: { ttlMs: 60_000 } },
    ),
    notes: documents<{ by: number; list: number[] }>(),
  },
  ({ one, many }) => ({ users: { notes: many('notes', 'by') }, notes: { user: one('users', 'by') } }),
)

const cache = { ttlMs: 60_000 }

async function openCounted(open: ConformanceContext['open']) {
  const time = { now: Date.parse('2026-03-01T10:00:00Z') }
  const storage = await open(schema, { clock: { now: () => time.now } })
  const users = storage.repository('users')
  const notes = storage.repository('notes')
  await storage.repository('teams').createMany([{ id: 'a' }, { id: 'b' }])
  const since = new Date(time.now)
  await users.createMany(
    [1, 2, 3].map((id) => ({ id, team: id < 3 ? 'a' : 'b', since, tags: ['x'], photo: new Uint8Array([id]) })),
  )
  await notes.createMany([{ id: 'n', by: 1, list: [1] }])
  let statements = 0
  storage.onStatement(() => statements++)
  return {
    storage,
    users,
    notes,
    time,
    /** How many statements something took. */
    async cost(work: () => Promise<unknown>): Promise<number> {
      const before = statements
      await work()
      return statements - before
    },
  }
}

export const cacheReadCases: readonly ConformanceCase[] = [
  {
    id: 'cache/reads',
    title: 'A read that is cached asks the database once, for every kind of read; its results are copies',
    async run({ open }) {
      const { users, notes, cost } = await openCounted(open)
      const reads: (() => Promise<unknown>)[] = [
        () => users.findById(1),
        () => users.getById(2),
        () => users.findByIds([3, 1]),
        () => users.findOne({ where: { team: 'a' } }),
        () => users.find({ where: { tags: { has: 'x' } }, orderBy: { id: 'desc' } }),
        () => users.page({ first: 2 }),
        () => users.count({ team: 'a' }),
        () => users.exists(1),
        () => users.aggregate({ groupBy: { team: 'team' }, select: { n: count(), score: sum('score') } }),
        () => users.query().join('teams', { team: 'id' }).select({ id: 'id', team: 'teams.id' }).all(),
        () => users.find({ include: { notes: { orderBy: { id: 'asc' } } } }),
        () => notes.findById('n', { cache }),
        () => notes.find({ where: { by: 1 }, cache }),
        () => notes.count({ by: 1 }, { cache }),
        () => notes.aggregate({ select: { n: count() }, cache }),
      ]
      for (const [index, read] of reads.entries()) {
        const first = await read()
        const [user] = (Array.isArray(first) ? first : [first]) as [Record<string, unknown>]
        const before = structuredClone(first)
        if (user?.['since'] instanceof Date) user['since'].setTime(0)
        if (Array.isArray(user?.['tags'])) user['tags'].push('mine')
        if (user?.['photo'] instanceof Uint8Array) user['photo'][0] = 99
        if (Array.isArray(user?.['list'])) user['list'].push(99)
        if (Array.isArray(first)) first.length = 0
        let second: unknown
        const spent = await cost(async () => {
          second = await read()
        })
        assert.deepEqual([spent, second], [0, before], `read ${index}`)
      }
      assert.equal(await cost(() => users.find({ cache: false })), 1)
      assert.equal(await cost(() => notes.find()), 1)
      const [one, same] = await Promise.all([users.findOne({ where: { id: 3 } }), users.findOne({ where: { id: 3 } })])
      assert.deepEqual(one, same)
      assert.notEqual(one, same)
    },
  },
  {
    id: 'cache/reads-invalidated',
    title:
      'A write of anything a cached read depends on is seen by the next read, and a write of something else costs nothing',
    async run({ open }) {
      const { storage, users, notes, cost } = await openCounted(open)
      const team = () => users.count({ team: 'a' })
      const withNotes = async () => (await users.find({ include: { notes: true } })).map((user) => user.notes.length)
      const read = async () => [await team(), await withNotes()]
      const since = new Date()
      assert.deepEqual(await read(), [2, [1, 0, 0]])
      await notes.create({ id: 'm', by: 2, list: [] })
      assert.equal(await cost(team), 0)
      assert.deepEqual(await read(), [2, [1, 1, 0]])
      await users.create({ id: 4, team: 'a', since, tags: [] })
      assert.deepEqual(await read(), [3, [1, 1, 0, 0]])
      await users.updateMany({ id: 3 }, { team: 'a' })
      assert.deepEqual(await read(), [4, [1, 1, 0, 0]])
      await storage.batch([
        { delete: 'users', id: 4 },
        { insert: 'notes', values: { by: 3, list: [] } },
      ])
      assert.deepEqual(await read(), [3, [1, 1, 1]])
      await storage.transaction(async (tx) => {
        await tx.repository('users').delete(3)
        assert.equal(await tx.repository('users').count({ team: 'a' }), 2)
      })
      assert.deepEqual(await read(), [2, [1, 1]])
      await storage.repository('teams').delete('a')
      assert.deepEqual(await read(), [0, []])
    },
  },
  {
    id: 'cache/reads-rolled-back',
    title: 'A transaction reads for itself, and what it rolls back is never found in a cached read',
    async run({ open }) {
      const { storage, users, cost } = await openCounted(open)
      assert.equal(await users.count(), 3)
      const failing = storage.transaction(async (tx) => {
        const inside = tx.repository('users')
        await inside.delete(1)
        assert.deepEqual([await inside.count(undefined, { cache }), (await inside.find({ cache })).length], [2, 2])
        throw new Error('mine')
      })
      await assert.rejects(failing, /mine/)
      assert.deepEqual([await users.count(), await users.exists(1)], [3, true])
      assert.equal(await cost(() => storage.transaction((tx) => tx.repository('users').count())), 1)
    },
  },
  {
    id: 'cache/reads-time',
    title: 'A cached read is good for as long as the call says, or else its model',
    async run({ open }) {
      const { users, cost, time } = await openCounted(open)
      await users.findById(1)
      time.now += 1_000
      assert.equal(await cost(() => users.findById(1)), 0)
      assert.equal(await cost(() => users.findById(1, { cache: { ttlMs: 1_000 } })), 1)
      time.now += 999
      assert.equal(await cost(() => users.findById(1, { cache: { ttlMs: 1_000 } })), 0)
      time.now += 60_000
      assert.equal(await cost(() => users.findById(1)), 1)
    },
  },
  {
    id: 'cache/reads-refused',
    title: 'What says nothing of caching is refused, in a call and in a schema',
    async run({ open }) {
      const { users } = await openCounted(open)
      for (const bad of [true, 5, {}, { ttlMs: 0 }, { ttlMs: '1s' }, { ttl: 5 }, null]) {
        await refused(users.find({ cache: wrong(bad) }), { code: 'VALIDATION', paths: ['cache'] })
        await refused(users.findById(1, { cache: wrong(bad) }), { code: 'VALIDATION', paths: ['cache'] })
        await refused(() => defineSchema({ a: table({ id: t.id() }, { cache: wrong(bad) }) }), 'CONFIGURATION')
      }
    },
  },
  {
    id: 'cache/reads-overtaken',
    title: 'A read that began before a write is given to nobody who asks after it',
    async run({ open }) {
      const { users, notes } = await openCounted(open)
      for (let n = 4; n < 30; n++) {
        const early = Array.from({ length: 3 }, () => users.count())
        const writing = users.create({ id: n, team: 'b', since: new Date(), tags: [] })
        const meanwhile = [users.count(), notes.count({}, { cache })]
        await writing
        assert.deepEqual(await Promise.all([users.count(), users.count({}, { cache })]), [n, n])
        for (const seen of [...(await Promise.all(early)), await meanwhile[0]]) assert.ok(seen === n || seen === n - 1)
        assert.equal(await users.count(), n)
      }
    },
  },
]
