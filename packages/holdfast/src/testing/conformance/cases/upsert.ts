import assert from 'node:assert/strict'
import { increment } from '../../../repository/index.ts'
import { defineSchema, t, table } from '../../../schema/index.ts'
import { pick, refused, refusedWhole, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  users: table({
    id: t.integer().primaryKey(),
    email: t.text().nullable().unique(),
    name: t.text().default('nobody'),
    visits: t.integer().default(1).check({ lte: 1_000 }),
  }),
  counters: table(
    { id: t.id(), owner: t.text().nullable(), kind: t.text(), n: t.integer().default(0) },
    { unique: [['owner', 'kind']], versioned: true },
  ),
  tallies: table({ id: t.integer().primaryKey().generated(), word: t.text().unique(), n: t.integer() }),
})

export const upsertCases: readonly ConformanceCase[] = [
  {
    id: 'upsert/by-key',
    title: 'upsert inserts with defaults; then it changes what is given and leaves what is not',
    async run({ open }) {
      const users = (await open(schema)).repository('users')
      assert.deepEqual(await users.upsert({ id: 1, email: 'a' }), { id: 1, email: 'a', name: 'nobody', visits: 1 })
      await users.update(1, { name: 'kim', visits: 9 })
      assert.deepEqual(await users.upsert({ id: 1, email: 'b' }), { id: 1, email: 'b', name: 'kim', visits: 9 })
      assert.deepEqual(await users.upsert({ id: 1 }), { id: 1, email: 'b', name: 'kim', visits: 9 })
      assert.deepEqual(await users.upsert({ id: 1, email: null, name: undefined }), {
        id: 1,
        email: null,
        name: 'kim',
        visits: 9,
      })
      assert.equal(await users.count(), 1)
    },
  },
  {
    id: 'upsert/update',
    title: 'With update, upsert changes that and nothing else, from what is stored',
    async run({ open }) {
      const users = (await open(schema)).repository('users')
      const visit = () => users.upsert({ id: 1, name: 'kim' }, { update: { visits: increment(1) } })
      assert.equal((await visit()).visits, 1)
      assert.deepEqual(await users.upsert({ id: 1, name: 'lee' }, { update: { visits: increment(1) } }), {
        id: 1,
        email: null,
        name: 'kim',
        visits: 2,
      })
      assert.equal((await visit()).visits, 3)
    },
  },
  {
    id: 'upsert/on',
    title: 'upsert finds the record by a unique field, or by several in any order, and keeps its key',
    async run({ open }) {
      const storage = await open(schema)
      const users = storage.repository('users')
      await users.create({ id: 1, email: 'a', name: 'kim' })
      assert.deepEqual(
        await users.upsert({ id: 2, email: 'a', name: 'lee' }, { on: 'email', update: { name: 'lee' } }),
        {
          id: 1,
          email: 'a',
          name: 'lee',
          visits: 1,
        },
      )
      const counters = storage.repository('counters')
      const one = await counters.upsert({ owner: 'x', kind: 'k', n: 1 }, { on: ['kind', 'owner'] })
      const again = await counters.upsert(
        { owner: 'x', kind: 'k', n: 5 },
        { on: ['owner', 'kind'], update: { n: increment(5) } },
      )
      assert.deepEqual(again, { ...one, n: 6, version: 2 })
      assert.equal(await counters.count(), 1)
    },
  },
  {
    id: 'upsert/null-never-collides',
    title: 'Null in a unique field collides with nothing, so upsert inserts',
    async run({ open }) {
      const counters = (await open(schema)).repository('counters')
      for (let n = 0; n < 3; n++) await counters.upsert({ owner: null, kind: 'k', n }, { on: ['owner', 'kind'] })
      assert.deepEqual(pick(await counters.find({ orderBy: { n: 'asc' } }), 'n'), [0, 1, 2])
    },
  },
  {
    id: 'upsert/generated-key',
    title: 'upsert on a table with a generated key gives the key it made, or the one that is there',
    async run({ open }) {
      const tallies = (await open(schema)).repository('tallies')
      const first = await tallies.upsert({ word: 'a', n: 1 }, { on: 'word', update: { n: increment(1) } })
      const second = await tallies.upsert({ word: 'b', n: 1 }, { on: 'word', update: { n: increment(1) } })
      assert.notEqual(first.id, second.id)
      assert.deepEqual(await tallies.upsert({ word: 'a', n: 1 }, { on: 'word', update: { n: increment(1) } }), {
        ...first,
        n: 2,
      })
    },
  },
  {
    id: 'upsert/another-collision',
    title: 'An upsert that collides in a unique field other than the one it looks at is a conflict that names it',
    async run({ open }) {
      const users = (await open(schema)).repository('users')
      await users.createMany([
        { id: 1, email: 'a' },
        { id: 2, email: 'b' },
      ])
      const conflict = { code: 'CONFLICT_UNIQUE', model: 'users', fields: ['email'] } as const
      await refusedWhole(users, () => users.upsert({ id: 3, email: 'a' }), conflict)
      await refusedWhole(users, () => users.upsert({ id: 2, email: 'a' }), conflict)
      await refusedWhole(users, () => users.upsert({ id: 1, email: 'c' }, { on: 'email' }), {
        ...conflict,
        fields: ['id'],
      })
    },
  },
  {
    id: 'upsert/broken-check',
    title: 'An upsert whose change breaks a check leaves the record as it was',
    async run({ open }) {
      const users = (await open(schema)).repository('users')
      await users.create({ id: 1, visits: 1_000 })
      const broken = { code: 'CONSTRAINT_CHECK', model: 'users', fields: ['visits'] } as const
      await refusedWhole(users, () => users.upsert({ id: 1 }, { update: { visits: increment(1) } }), broken)
      await refusedWhole(users, () => users.upsert({ id: 1, visits: 1_001 }), broken)
    },
  },
  {
    id: 'upsert/64-callers',
    title: 'Of 64 upserts of one new record at once one inserts and 63 count up',
    async run({ open }) {
      const storage = await open(schema)
      const calls = Array.from({ length: 64 }, () =>
        storage.repository('tallies').upsert({ word: 'hot', n: 1 }, { on: 'word', update: { n: increment(1) } }),
      )
      const rows = await Promise.all(calls)
      assert.equal(new Set(pick(rows, 'id')).size, 1)
      assert.deepEqual(
        pick(rows, 'n').sort((left, right) => left - right),
        Array.from({ length: 64 }, (_, index) => index + 1),
      )
      assert.deepEqual(pick(await storage.repository('tallies').find(), 'n'), [64])
    },
  },
  {
    id: 'upsert/refused',
    title: 'upsert by fields that are not unique together, and bad changes, are refused',
    async run({ open }) {
      const storage = await open(schema)
      const users = storage.repository('users')
      await users.create({ id: 1 })
      for (const on of ['name', [], ['id', 'email'], 'nope', 5, { id: 1 }]) {
        await refusedWhole(users, () => users.upsert({ id: 1 }, { on: wrong(on) }), {
          code: 'VALIDATION',
          paths: ['on'],
        })
      }
      await refused(() => storage.repository('counters').upsert({ kind: 'k' }, { on: 'owner' }), {
        code: 'VALIDATION',
        paths: ['on'],
      })
      await refusedWhole(users, () => users.upsert({ id: 1 }, { update: wrong({ nope: 1, name: 5 }) }), {
        code: 'VALIDATION',
        paths: ['update.nope', 'update.name'],
      })
    },
  },
  {
    id: 'save/new-or-not',
    title: 'save stores a record whether it is new or not',
    async run({ open }) {
      const users = (await open(schema)).repository('users')
      const one = await users.save({ id: 1, email: 'a' })
      assert.deepEqual(await users.save({ ...one, name: 'kim' }), { ...one, name: 'kim' })
      assert.equal(await users.count(), 1)
    },
  },
  {
    id: 'save/version',
    title: 'save of a record that somebody else changed is a version conflict; of one that is gone, NotFoundError',
    async run({ open }) {
      const counters = (await open(schema)).repository('counters')
      const read = await counters.create({ kind: 'k' })
      const saved = await counters.save({ ...read, n: 1 })
      assert.deepEqual(saved, { ...read, n: 1, version: 2 })
      await refusedWhole(counters, () => counters.save({ ...read, n: 2 }), {
        code: 'CONFLICT_VERSION',
        model: 'counters',
        fields: ['version'],
      })
      await counters.delete(read.id)
      await refusedWhole(counters, () => counters.save(saved), { code: 'NOT_FOUND', model: 'counters' })
    },
  },
]
