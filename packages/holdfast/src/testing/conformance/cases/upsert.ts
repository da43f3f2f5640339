import assert from 'node:assert/strict'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { increment } from '../../../repository/index.ts'
import { defineSchema, documents, t, table } from '../../../schema/index.ts'
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

interface Member {
  email?: string
  visits?: number
  seat?: { row?: number; place?: string } | null
}

/** A Standard Schema by hand: emails are compared without case. */
const Guest: StandardSchemaV1<{ email: string }, { email: string }> = {
  '~standard': {
    version: 1,
    vendor: 'conformance',
    validate: (value) => ({ value: { email: (value as { email: string }).email.trim().toLowerCase() } }),
  },
}

const documentSchema = defineSchema({
  members: documents<Member>({ unique: ['email', ['seat.row', 'seat.place']] }),
  guests: documents({ schema: Guest, unique: ['email'] }),
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
      for (const update of [{}, { name: undefined }])
        assert.equal((await users.upsert({ id: 1, name: 'lee' }, { update: update as { name?: string } })).visits, 3)
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
    id: 'upsert/documents-on',
    title: 'upsert finds a document by a unique field or by paths that are unique together, and keeps its id',
    async run({ open }) {
      const members = (await open(documentSchema)).repository('members')
      const kim = await members.upsert({ email: 'a', visits: 1 }, { on: 'email', update: { visits: increment(1) } })
      assert.deepEqual([kim.email, kim.visits, kim.version], ['a', 1, 1])
      const again = await members.upsert(
        { id: 'other', email: 'a', visits: 1 },
        { on: 'email', update: { visits: increment(1) } },
      )
      assert.deepEqual(again, { ...kim, visits: 2, version: 2, updatedAt: again.updatedAt })
      // Without `update` it is replaced as a whole.
      const whole = await members.upsert({ email: 'a', seat: { row: 1, place: 'x' } }, { on: ['email'] })
      assert.deepEqual(whole, {
        id: kim.id,
        email: 'a',
        seat: { row: 1, place: 'x' },
        version: 3,
        createdAt: kim.createdAt,
        updatedAt: whole.updatedAt,
      })
      const seated = await members.upsert(
        { email: 'b', seat: { row: 1, place: 'x' } },
        { on: ['seat.place', 'seat.row'], update: { visits: 7 } },
      )
      assert.deepEqual([seated.id, seated.email, seated.visits], [kim.id, 'a', 7])
      // What is missing or null collides with nothing, and texts are no numbers.
      for (const seat of [undefined, null, { row: 1 }, { row: '1' as never, place: 'x' }])
        await members.upsert({ ...(seat !== undefined && { seat }) }, { on: ['seat.row', 'seat.place'] })
      assert.equal(await members.count(), 5)
      const guests = (await open(documentSchema)).repository('guests')
      const first = await guests.upsert({ email: ' KIM ' }, { on: 'email' })
      const second = await guests.upsert({ email: 'kim' }, { on: 'email' })
      assert.deepEqual([second.id, second.email, second.version], [first.id, 'kim', 2])
    },
  },
  {
    id: 'upsert/documents-collision',
    title: 'An upsert of a document by one field that collides in another is a conflict that names it',
    async run({ open }) {
      const members = (await open(documentSchema)).repository('members')
      await members.createMany([
        { id: '1', email: 'a', seat: { row: 1, place: 'x' } },
        { id: '2', email: 'b' },
      ])
      const conflict = { code: 'CONFLICT_UNIQUE', model: 'members' } as const
      const seat = { row: 1, place: 'x' }
      const seats = { ...conflict, fields: ['seat.row', 'seat.place'] }
      await refusedWhole(members, () => members.upsert({ id: '1', email: 'c' }, { on: 'email' }), {
        ...conflict,
        fields: ['id'],
      })
      await refusedWhole(members, () => members.upsert({ email: 'c', seat }, { on: 'email' }), seats)
      await refusedWhole(members, () => members.upsert({ email: 'b', seat }, { on: 'email' }), seats)
      await refusedWhole(members, () => members.upsert({ email: 'b' }, { on: 'email', update: { email: 'a' } }), {
        ...conflict,
        fields: ['email'],
      })
    },
  },
  {
    id: 'upsert/documents-32-callers',
    title:
      'Of 32 upserts of one new document by a unique field at once one inserts and 31 count up, in transactions too',
    async run({ open }) {
      const storage = await open(documentSchema)
      const visit = (stores: Pick<typeof storage, 'repository'>, email: string) =>
        stores.repository('members').upsert({ email, visits: 1 }, { on: 'email', update: { visits: increment(1) } })
      const rows = await Promise.all(Array.from({ length: 32 }, () => visit(storage, 'hot')))
      assert.deepEqual(
        pick(rows, 'visits').sort((left, right) => (left ?? 0) - (right ?? 0)),
        Array.from({ length: 32 }, (_, index) => index + 1),
      )
      await Promise.all(
        Array.from({ length: 6 }, () => storage.transaction((tx) => visit(tx, 'warm'), { retries: 100 })),
      )
      const found = await storage.repository('members').find({ orderBy: { email: 'asc' } })
      assert.deepEqual(pick(found, 'visits'), [32, 6])
    },
  },
  {
    id: 'upsert/documents-refused',
    title: 'upsert of a document by what is not unique together, and bad changes, are refused before anything is read',
    async run({ open }) {
      const members = (await open(documentSchema)).repository('members')
      await members.create({ id: '1', email: 'a' })
      for (const on of ['visits', 'seat.row', 'nope', [], ['id', 'email'], 5]) {
        await refusedWhole(members, () => members.upsert({ id: '1', email: 'a' }, { on: wrong(on) }), {
          code: 'VALIDATION',
          paths: ['on'],
        })
      }
      await refusedWhole(members, () => members.upsert({ email: wrong(['a']) }, { on: 'email' }), {
        code: 'VALIDATION',
        paths: ['on'],
      })
      for (const email of ['a', 'new']) {
        await refusedWhole(
          members,
          () => members.upsert({ email }, { on: 'email', update: { 'seat.row': 1 } as never }),
          {
            code: 'VALIDATION',
            paths: ['update.seat.row'],
          },
        )
      }
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
