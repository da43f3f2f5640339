import assert from 'node:assert/strict'
import type { MigrationError } from '../../../base/errors.ts'
import { increment } from '../../../repository/index.ts'
import { defineSchema, t, table } from '../../../schema/index.ts'
import { pick, refused, wrong } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const first = defineSchema({
  users: table({ id: t.integer().primaryKey(), name: t.text(), age: t.integer().nullable() }, { indexes: ['name'] }),
})
const kim = { id: 1, name: 'kim', age: 7 }

/** Opens the first schema, stores a user, closes it; then opens another schema and expects it to be refused for these reasons. */
function refusesToFit(
  id: string,
  title: string,
  other: ReturnType<typeof defineSchema>,
  reasons: readonly string[],
): ConformanceCase {
  return {
    id,
    title,
    needs: ['persistent'],
    async run({ open }) {
      const before = await open(first)
      await before.repository('users').create(kim)
      await before.close()
      const error = (await refused(() => open(other), 'SCHEMA_MISMATCH')) as MigrationError
      for (const reason of reasons) {
        assert.ok(
          error.differences.some((difference) => difference.includes(reason)),
          `${reason} is not in ${error.message}`,
        )
      }
      assert.equal(error.differences.length, reasons.length, error.message)
      const after = await open(first)
      assert.deepEqual(await after.repository('users').find(), [kim])
    },
  }
}

/** A repository of rows with a `key` of whatever type. */
interface KeyedRows {
  create(row: object): Promise<object>
  find(): Promise<object[]>
  findById(key: unknown): Promise<object | null>
  findByIds(keys: readonly unknown[]): Promise<object[]>
  exists(key: unknown): Promise<boolean>
  update(key: unknown, patch: object): Promise<object>
  upsert(row: object): Promise<object>
  delete(key: unknown): Promise<boolean>
  page(query: object): Promise<{ readonly items: readonly object[]; readonly next: string | null }>
}

export const tableCases: readonly ConformanceCase[] = [
  {
    id: 'tables/cycles',
    title: 'Tables may refer to themselves and to each other in a cycle, in whatever order they are declared',
    async run({ open }) {
      const schema = defineSchema({
        employees: table({
          id: t.integer().primaryKey(),
          managerId: t.integer().nullable().references('employees'),
          teamId: t.integer().nullable().references('teams'),
        }),
        teams: table({ id: t.integer().primaryKey(), leadId: t.integer().nullable().references('employees') }),
      })
      const storage = await open(schema)
      await storage.repository('employees').create({ id: 1, managerId: 1 })
      await storage.repository('teams').create({ id: 1, leadId: 1 })
      await storage.repository('employees').update(1, { teamId: 1 })
      await refused(() => storage.repository('employees').update(1, { teamId: 2 }), {
        code: 'CONSTRAINT_FOREIGN_KEY',
        model: 'employees',
        fields: ['teamId'],
      })
    },
  },
  {
    id: 'tables/only-a-key',
    title: 'A table may have nothing but a key: generated, made or given',
    async run({ open }) {
      const schema = defineSchema({
        counted: table({ id: t.integer().primaryKey().generated() }),
        made: table({ id: t.id() }),
        given: table({ a: t.text(), b: t.integer() }, { primaryKey: ['a', 'b'] }),
      })
      const storage = await open(schema)
      assert.deepEqual(await storage.repository('counted').create({}), { id: 1 })
      assert.deepEqual(await storage.repository('counted').createMany([{}, {}]), [{ id: 2 }, { id: 3 }])
      const { id } = await storage.repository('made').create({})
      assert.deepEqual(await storage.repository('made').upsert({ id }), { id })
      const given = storage.repository('given')
      await given.upsert({ a: 'x', b: 1 })
      assert.deepEqual(await given.upsert({ a: 'x', b: 1 }), { a: 'x', b: 1 })
      assert.equal(await given.count(), 1)
    },
  },
  {
    id: 'tables/composite-key',
    title: 'A key of several columns is given as an object, and orders by its columns in turn',
    async run({ open }) {
      const schema = defineSchema({
        tracks: table(
          { trackId: t.integer(), playlistId: t.text(), title: t.text() },
          { primaryKey: ['playlistId', 'trackId'] },
        ),
      })
      const tracks = (await open(schema)).repository('tracks')
      await tracks.createMany([
        { playlistId: 'b', trackId: 1, title: 'b1' },
        { playlistId: 'a', trackId: 10, title: 'a10' },
        { playlistId: 'a', trackId: 9, title: 'a9' },
      ])
      assert.deepEqual(pick(await tracks.find(), 'title'), ['a9', 'a10', 'b1'])
      assert.equal((await tracks.getById({ trackId: 10, playlistId: 'a' })).title, 'a10')
      assert.equal((await tracks.update({ playlistId: 'a', trackId: 9 }, { title: 'x' })).title, 'x')
      const keys = [
        { playlistId: 'b', trackId: 1 },
        { playlistId: 'c', trackId: 1 },
        { playlistId: 'a', trackId: 9 },
        { trackId: 1, playlistId: 'b' },
      ]
      assert.deepEqual(pick(await tracks.findByIds(keys), 'title'), ['b1', 'x'])
      assert.equal(await tracks.exists({ playlistId: 'b', trackId: 1 }), true)
      assert.equal(await tracks.delete({ playlistId: 'b', trackId: 1 }), true)
      assert.equal(await tracks.delete({ playlistId: 'b', trackId: 1 }), false)
      await refused(() => tracks.create({ playlistId: 'a', trackId: 9, title: '' }), {
        code: 'CONFLICT_UNIQUE',
        model: 'tracks',
        fields: ['playlistId', 'trackId'],
      })
      await refused(() => tracks.findById({ playlistId: 'a' } as never), { code: 'VALIDATION', paths: ['trackId'] })
      await refused(() => tracks.findById('a' as never), { code: 'VALIDATION', paths: [''] })
    },
  },
  {
    id: 'tables/keys-of-any-type',
    title: 'A key may be of any type but JSON, and is found by every call that takes one',
    async run({ open }) {
      const keys = {
        text: [t.text(), ['b', 'B', '', 'é']],
        bigint: [t.bigint(), [2n ** 62n, -5n, 0n]],
        real: [t.real(), [0.1, -1e300, 0]],
        decimal: [t.decimal(6, 2), ['10.00', '-0.50', '9.00']],
        boolean: [t.boolean(), [true, false]],
        timestamp: [t.timestamp(), [new Date(5), new Date(-5)]],
        date: [t.date(), ['2024-02-29', '0001-01-01']],
        uuid: [t.uuid(), ['0190f5c3-0000-7000-8000-000000000001', '00000000-0000-0000-0000-000000000000']],
        bytes: [t.bytes(), [new Uint8Array([1, 0]), new Uint8Array([1]), new Uint8Array()]],
        enum: [t.enum(['z', 'a']), ['z', 'a']],
      } as const
      const schema = defineSchema(
        Object.fromEntries(
          Object.entries(keys).flatMap(([name, [column]]) => [
            [name, table({ key: column.primaryKey(), n: t.integer() })],
            [`${name}Parts`, table({ key: column, at: t.integer() }, { primaryKey: ['key', 'at'] })],
          ]),
        ),
      )
      const storage = await open(schema)
      for (const [name, [, values]] of Object.entries(keys)) {
        const rows = storage.repository(wrong(name)) as unknown as KeyedRows
        const made = values.map((key, n) => ({ key, n }))
        for (const row of made) assert.deepEqual(await rows.create(row), row)
        for (const row of made) assert.deepEqual(await rows.findById(row.key), row)
        assert.deepEqual(await rows.findByIds([...values]), made, name)
        assert.deepEqual(
          await Promise.all(values.map((key) => rows.exists(key))),
          values.map(() => true),
        )
        const [first] = made
        assert.deepEqual(await rows.update(first?.key, { n: 9 }), { ...first, n: 9 })
        assert.deepEqual(await rows.upsert({ key: first?.key, n: 8 }), { ...first, n: 8 })
        await refused(() => rows.create({ key: first?.key, n: 0 }), {
          code: 'CONFLICT_UNIQUE',
          model: name,
          fields: ['key'],
        })
        const pages = await rows.page({ first: 1 })
        const rest = await rows.page({ first: 5, after: pages.next })
        assert.deepEqual([...pages.items, ...rest.items], await rows.find(), name)
        assert.equal(await rows.delete(first?.key), true)
        assert.equal(await rows.findById(first?.key), null)
        const parts = storage.repository(wrong(`${name}Parts`)) as unknown as KeyedRows
        for (const key of values) await parts.create({ key, at: 1 })
        assert.deepEqual(await parts.findById({ key: values[1], at: 1 }), { key: values[1], at: 1 })
        assert.equal(await parts.delete({ key: values[1], at: 1 }), true)
      }
    },
  },
  {
    id: 'tables/wide',
    title: 'A table may have 150 columns, and hold more rows of them in one call than a statement can bind',
    async run({ open }) {
      const names = Array.from({ length: 149 }, (_, index) => `column${index}`)
      const columns = Object.fromEntries(names.map((name) => [name, t.integer()]))
      const wide = (await open(defineSchema({ wide: table({ id: t.integer().primaryKey(), ...columns }) }))).repository(
        'wide',
      )
      const row = (id: number) => ({ id, ...Object.fromEntries(names.map((name, index) => [name, id * 1000 + index])) })
      const rows = Array.from({ length: 500 }, (_, index) => row(index)) as never[]
      await wide.createMany(rows)
      assert.deepEqual(await wide.findById(499 as never), rows[499])
      assert.equal(
        await wide.updateMany({}, Object.fromEntries(names.map((name) => [name, increment(1)])) as never),
        500,
      )
      assert.equal(((await wide.findById(1 as never)) as unknown as Record<string, number>)['column148'], 1149)
    },
  },
  {
    id: 'tables/reopen',
    title: 'What was stored is there when the database is opened again, and nothing is created twice',
    needs: ['persistent'],
    async run({ open }) {
      const before = await open(first)
      await before.repository('users').create(kim)
      await before.close()
      const after = await open(first, { autoCreate: false })
      assert.deepEqual(await after.repository('users').find(), [kim])
    },
  },
  {
    id: 'tables/missing',
    title: 'Without autoCreate a missing table is named and nothing is created',
    async run({ open }) {
      for (let attempt = 0; attempt < 2; attempt++) {
        const error = (await refused(() => open(first, { autoCreate: false }), 'SCHEMA_MISMATCH')) as MigrationError
        assert.match(error.message, /table users of users is missing/)
      }
    },
  },
  {
    id: 'tables/sparse',
    title: 'Rows without a value are left out of a sparse index and of nothing else',
    async run({ open }) {
      const storage = await open(
        defineSchema({
          tasks: table(
            {
              id: t.integer().primaryKey(),
              team: t.text(),
              slot: t.integer().nullable(),
              due: t.integer().nullable(),
            },
            { indexes: [['team', 'due'], 'due'], unique: [['team', 'slot']], sparse: ['slot', 'due'] },
          ),
        }),
      )
      const tasks = storage.repository('tasks')
      const rows = Array.from({ length: 12 }, (_, id) => ({
        id,
        team: id % 2 === 0 ? 'a' : 'b',
        slot: id < 4 ? id : null,
        due: id % 3 === 0 ? id : null,
      }))
      await tasks.createMany(rows)
      const ids = async (where: object) => pick(await tasks.find({ where, orderBy: { id: 'asc' } } as never), 'id')
      assert.deepEqual(await ids({ team: 'a' }), [0, 2, 4, 6, 8, 10])
      assert.deepEqual(await ids({ team: 'a', due: null }), [2, 4, 8, 10])
      assert.deepEqual(await ids({ team: 'a', due: { ne: null } }), [0, 6])
      assert.deepEqual(await ids({ team: 'b', due: { gt: 3 } }), [9])
      assert.deepEqual(await ids({ team: 'b', due: { in: [3, 9, 10] } }), [3, 9])
      const ordered = await tasks.find({ where: { team: 'a' }, orderBy: [{ due: 'desc' }, { id: 'asc' }] })
      assert.deepEqual(pick(ordered, 'id'), [6, 0, 2, 4, 8, 10])
      await refused(() => tasks.create({ id: 20, team: 'a', slot: 0, due: null }), {
        code: 'CONFLICT_UNIQUE',
        fields: ['team', 'slot'],
      })
      await tasks.upsert({ id: 21, team: 'a', slot: 0, due: 1 }, { on: ['team', 'slot'], update: { due: 5 } })
      await tasks.updateMany({ id: { in: [2, 3] } }, { slot: null })
      await tasks.createMany([
        { id: 30, team: 'a', slot: 2, due: null },
        { id: 31, team: 'b', slot: null, due: 3 },
      ])
      await tasks.update(31, { due: null })
      await tasks.delete(0)
      assert.deepEqual(await ids({ team: 'a', due: { ne: null } }), [6])
      assert.deepEqual(await ids({ team: 'b', due: { ne: null } }), [3, 9])
      assert.deepEqual(await ids({ team: 'a', slot: { ne: null } }), [30])
      await tasks.deleteMany({ team: 'b' })
      assert.equal(await tasks.count({}), 6)
    },
  },
  {
    id: 'tables/new-index',
    title: 'An index that is new in the schema is created for the rows that are there, and holds from then on',
    needs: ['persistent'],
    async run({ open }) {
      const before = await open(first)
      await before.repository('users').create(kim)
      await before.close()
      const columns = { id: t.integer().primaryKey(), name: t.text().unique(), age: t.integer().nullable() }
      const after = await open(defineSchema({ users: table(columns, { indexes: ['name', ['age', 'name']] }) }))
      const users = after.repository('users')
      await refused(() => users.create({ id: 2, name: 'kim' }), {
        code: 'CONFLICT_UNIQUE',
        model: 'users',
        fields: ['name'],
      })
      assert.deepEqual(await users.find(), [kim])
    },
  },
  {
    id: 'tables/new-unique-index-over-duplicates',
    title: 'A new unique index that the rows break is refused, and the rows stay',
    needs: ['persistent'],
    async run({ open }) {
      const before = await open(first)
      await before.repository('users').createMany([kim, { ...kim, id: 2 }])
      await before.close()
      const columns = { id: t.integer().primaryKey(), name: t.text().unique(), age: t.integer().nullable() }
      await refused(() => open(defineSchema({ users: table(columns) })), {
        code: 'CONFLICT_UNIQUE',
        model: 'users',
        fields: ['name'],
      })
      const after = await open(first)
      assert.deepEqual(await after.repository('users').find(), [kim, { ...kim, id: 2 }])
    },
  },
  {
    id: 'tables/new-table',
    title: 'A table that is new in the schema may refer to one that is there',
    needs: ['persistent'],
    async run({ open }) {
      const before = await open(first)
      await before.repository('users').create(kim)
      await before.close()
      const after = await open(
        defineSchema({
          notes: table({
            id: t.integer().primaryKey(),
            userId: t.integer().references('users', { onDelete: 'cascade' }),
          }),
          ...first.declarations,
        }),
      )
      await after.repository('notes').create({ id: 1, userId: 1 })
      await refused(() => after.repository('notes').create({ id: 2, userId: 2 }), 'CONSTRAINT_FOREIGN_KEY')
      await after.repository('users').delete(1)
      assert.equal(await after.repository('notes').count(), 0)
    },
  },
  {
    id: 'tables/new-columns',
    title:
      'Columns that rows can do without are added to a table that is there, with their defaults, checks and references',
    needs: ['persistent'],
    async run({ open }) {
      const before = await open(first)
      await before.repository('users').create(kim)
      await before.close()
      const storage = await open(
        defineSchema({
          users: table(
            {
              id: t.integer().primaryKey(),
              name: t.text(),
              age: t.integer().nullable(),
              role: t.enum(['admin', 'guest']).default('guest'),
              cents: t.integer().default(0).check({ gte: 0 }),
              seenAt: t.timestamp().defaultNow(),
              bossId: t.integer().nullable().references('users', { onDelete: 'cascade' }),
            },
            { indexes: ['name'], unique: [['bossId', 'role']] },
          ),
        }),
      )
      const users = storage.repository('users')
      const { seenAt, ...rest } = await users.getById(1)
      assert.ok(seenAt instanceof Date)
      assert.deepEqual(rest, { ...kim, role: 'guest', cents: 0, bossId: null })
      await refused(() => users.update(1, { cents: -1 }), { code: 'CONSTRAINT_CHECK', fields: ['cents'] })
      await refused(() => users.update(1, { bossId: 9 }), { code: 'CONSTRAINT_FOREIGN_KEY', fields: ['bossId'] })
      const lee = await users.create({ id: 2, name: 'lee', bossId: 1 })
      await refused(() => users.create({ ...lee, id: 3 }), { code: 'CONFLICT_UNIQUE', fields: ['bossId', 'role'] })
      assert.equal(await users.delete(1), true)
      assert.equal(await users.count(), 0)
    },
  },
  {
    id: 'tables/column-that-is-not-used',
    title: 'A nullable column that the schema no longer has does not keep it from opening',
    needs: ['persistent'],
    async run({ open }) {
      const before = await open(first)
      await before.repository('users').create(kim)
      await before.close()
      const after = await open(defineSchema({ users: table({ id: t.integer().primaryKey(), name: t.text() }) }))
      await after.repository('users').create({ id: 2, name: 'lee' })
      assert.deepEqual(await after.repository('users').find(), [
        { id: 1, name: 'kim' },
        { id: 2, name: 'lee' },
      ])
      await after.close()
      assert.deepEqual(await (await open(first)).repository('users').find(), [kim, { id: 2, name: 'lee', age: null }])
    },
  },
  refusesToFit(
    'tables/missing-column',
    'A table without a column that rows must have a value for is refused, naming the column',
    defineSchema({
      users: table({
        id: t.integer().primaryKey(),
        name: t.text(),
        age: t.integer().nullable(),
        mail: t.text(),
      }),
    }),
    ['users.mail is missing'],
  ),
  refusesToFit(
    'tables/other-type',
    'A column of another type or nullability is refused, naming both',
    defineSchema({ users: table({ id: t.integer().primaryKey(), name: t.bytes(), age: t.integer() }) }),
    ['users.name is', 'users.age allows null'],
  ),
  refusesToFit(
    'tables/required-column-that-is-not-declared',
    'A required column that the schema does not have is refused: nothing could be written',
    defineSchema({ users: table({ id: t.integer().primaryKey(), age: t.integer().nullable() }) }),
    ['users.name is required there'],
  ),
  refusesToFit(
    'tables/other-key',
    'Another primary key is refused, naming both',
    defineSchema({
      users: table({ id: t.integer(), name: t.text(), age: t.integer().nullable() }, { primaryKey: ['id', 'name'] }),
    }),
    ['(id) instead of (id, name)'],
  ),
]
