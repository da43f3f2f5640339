import assert from 'node:assert/strict'
import { defineSchema, t, table } from '../../../schema/index.ts'
import { pick, refused, refusedWhole, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const schema = defineSchema({
  users: table({
    id: t.integer().primaryKey(),
    name: t.text(),
    email: t.text().nullable().unique(),
    score: t.integer().default(0).check({ gte: 0 }),
  }),
  named: table({ id: t.uuid().primaryKey().generated(), other: t.uuid().nullable().generated() }),
  counted: table({ id: t.integer().primaryKey().generated(), name: t.text().unique() }),
})
const user = (id: number) => ({ id, name: `user ${id}`, email: `${id}@example.org` })

export const createCases: readonly ConformanceCase[] = [
  {
    id: 'create/many-in-order',
    title: 'createMany gives 10,000 records in the order in which they were given, and stores them all',
    async run({ open }) {
      const storage = await open(schema)
      const given = Array.from({ length: 10_000 }, (_, index) => user((index * 7919) % 10_000))
      const created = await storage.repository('users').createMany(given)
      assert.deepEqual(pick(created, 'id'), pick(given, 'id'))
      assert.equal(await storage.repository('users').count(), 10_000)
      const counted = await storage.repository('counted').createMany(given.map(({ name }) => ({ name })))
      assert.deepEqual(pick(counted, 'name'), pick(given, 'name'))
      assert.deepEqual(
        pick(counted, 'id'),
        Array.from({ length: 10_000 }, (_, index) => index + 1),
      )
      assert.deepEqual((await storage.repository('counted').getById(9_999)).name, given[9_998]?.name)
    },
  },
  {
    id: 'create/many-all-or-none',
    title: 'createMany writes all or none: one record that collides, wherever it stands, undoes the others',
    async run({ open }) {
      const users = (await open(schema)).repository('users')
      await users.create(user(500))
      const many = Array.from({ length: 1_200 }, (_, index) => user(index + 1_000))
      for (const at of [0, 600, 1_199]) {
        const records = many.with(at, { ...user(3_000), email: '500@example.org' })
        await refusedWhole(users, () => users.createMany(records), {
          code: 'CONFLICT_UNIQUE',
          model: 'users',
          fields: ['email'],
        })
      }
      const twice = [...many, user(1_000)]
      await refusedWhole(users, () => users.createMany(twice), {
        code: 'CONFLICT_UNIQUE',
        model: 'users',
        fields: ['id'],
      })
      const unchecked = many.with(7, { ...user(1_007), score: -1 } as never)
      await refusedWhole(users, () => users.createMany(unchecked), {
        code: 'CONSTRAINT_CHECK',
        model: 'users',
        fields: ['score'],
      })
      assert.equal((await users.createMany(many)).length, 1_200)
    },
  },
  {
    id: 'create/many-nothing',
    title: 'createMany of an empty list gives an empty list',
    async run({ open }) {
      assert.deepEqual(await (await open(schema)).repository('users').createMany([]), [])
    },
  },
  {
    id: 'create/many-issues',
    title: 'createMany names the place and the field of every record it refuses, and few of very many',
    async run({ open }) {
      const users = (await open(schema)).repository('users')
      await users.create(user(1))
      const records = [user(2), { ...user(3), name: 5 }, { ...user(4), nope: 1 }, null, { id: 5 }]
      await refusedWhole(users, () => users.createMany(wrong(records)), {
        code: 'VALIDATION',
        paths: ['1.name', '2.nope', '3', '4.name'],
      })
      const error = await refused(
        () => users.createMany(wrong(Array.from({ length: 5_000 }, () => ({})))),
        'VALIDATION',
      )
      assert.ok(error.message.length < 5_000)
      await refused(() => users.createMany(wrong({ length: 1 })), { code: 'VALIDATION', paths: [''] })
    },
  },
  {
    id: 'create/many-mixed-keys',
    title: 'createMany takes generated keys for all records or for none',
    async run({ open }) {
      const counted = (await open(schema)).repository('counted')
      await refusedWhole(counted, () => counted.createMany([{ name: 'a' }, { id: 1, name: 'b' }]), {
        code: 'VALIDATION',
        paths: ['id'],
      })
    },
  },
  {
    id: 'create/uuids',
    title: 'UUIDs are made where they are generated and none is given',
    async run({ open }) {
      const rows = (await open(schema)).repository('named')
      const { id, other } = await rows.create({})
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.deepEqual(await rows.getById(id), { id, other })
      assert.notEqual(other, id)
      const given = '0b9b0c4e-3f2e-4c7a-9c5e-5d1a2b3c4d5e'
      assert.deepEqual(await rows.create({ id: given, other: null }), { id: given, other: null })
    },
  },
  {
    id: 'create/given-keys',
    title: 'A key that is given where keys are generated is kept in a transaction too, and counting goes on after it',
    async run({ open }) {
      const storage = await open(schema)
      for (const id of [50, 60]) {
        await storage.transaction((tx) => tx.repository('counted').create({ id, name: `given ${id}` }))
        const { id: next } = await storage.repository('counted').create({ name: `after ${id}` })
        assert.equal(next, id + 1)
      }
    },
  },
  {
    id: 'create/last-key',
    title: 'Where the greatest key was given, an insert that needs a greater one is refused, and nothing is written',
    async run({ open }) {
      const counted = (await open(schema)).repository('counted')
      await counted.create({ id: Number.MAX_SAFE_INTEGER, name: 'last' })
      const violation = { code: 'CONSTRAINT_CHECK', model: 'counted', fields: ['id'] } as const
      await refused(counted.create({ name: 'one more' }), violation)
      await refused(counted.createMany([{ name: 'two' }, { name: 'three' }]), violation)
      assert.equal(await counted.count(), 1)
    },
  },
  {
    id: 'create/same-tick',
    title: 'Of 64 calls in one tick each has its own record or its own error',
    async run({ open }) {
      const storage = await open(schema)
      const users = storage.repository('users')
      const counted = storage.repository('counted')
      await users.create({ ...user(0), email: '33@example.org' })
      await counted.create({ name: 'taken' })
      const outcomes = await Promise.allSettled(
        Array.from({ length: 64 }, (_, index) =>
          index % 2 === 1
            ? users.create(user(index))
            : counted.create({ name: index === 20 ? 'taken' : `name ${index}` }),
        ),
      )
      for (const [index, outcome] of outcomes.entries()) {
        const fails = index === 33 || index === 20
        assert.equal(outcome.status, fails ? 'rejected' : 'fulfilled', String(index))
        if (outcome.status === 'rejected') assert.deepEqual(outcome.reason.fields, index === 33 ? ['email'] : ['name'])
        else assert.equal(outcome.value.name, index % 2 === 1 ? `user ${index}` : `name ${index}`)
      }
      assert.equal(await users.count(), 32)
      assert.equal(await counted.count(), 32)
      const ids = pick(await counted.find(), 'id')
      assert.equal(new Set(ids).size, 32)
    },
  },
  {
    id: 'create/same-tick-all-fail',
    title: 'Calls of one tick that all fail leave nothing, and each says why',
    async run({ open }) {
      const users = (await open(schema)).repository('users')
      await users.create(user(1))
      const outcomes = await Promise.allSettled([
        users.create(user(1)),
        users.create({ ...user(2), score: -1 }),
        users.create({ ...user(3), email: '1@example.org' }),
        users.create(wrong({ ...user(4), nope: 1 })),
      ])
      assert.deepEqual(
        outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code),
        ['CONFLICT_UNIQUE', 'CONSTRAINT_CHECK', 'CONFLICT_UNIQUE', 'VALIDATION'],
      )
      assert.equal(await users.count(), 1)
    },
  },
  {
    id: 'create/same-tick-reads',
    title: 'Reads and writes of one tick do not mix up their results',
    async run({ open }) {
      const users = (await open(schema)).repository('users')
      await users.createMany(Array.from({ length: 50 }, (_, index) => user(index)))
      const found = await Promise.all(
        Array.from({ length: 150 }, (_, index) =>
          index % 3 === 0
            ? users.findById((index * 7) % 60)
            : index % 3 === 1
              ? users.update(index % 50, { score: index })
              : users.findOne({ where: { email: `${index % 50}@example.org` } }),
        ),
      )
      for (const [index, row] of found.entries()) {
        const key = index % 3 === 0 ? (index * 7) % 60 : index % 50
        assert.equal(row?.id ?? null, key < 50 ? key : null)
      }
    },
  },
  {
    id: 'create/refused',
    title: 'create names every field it refuses: missing, unknown, null, of a wrong type',
    async run({ open }) {
      const users = (await open(schema)).repository('users')
      await refusedWhole(users, () => users.create(wrong({ email: 7, nope: 1, score: null })), {
        code: 'VALIDATION',
        paths: ['id', 'name', 'email', 'score', 'nope'],
      })
      for (const input of [null, undefined, 5, 'x', [], new Date(), new Map(), () => ({})]) {
        await refusedWhole(users, () => users.create(wrong(input)), { code: 'VALIDATION', paths: [''] })
      }
    },
  },
]
