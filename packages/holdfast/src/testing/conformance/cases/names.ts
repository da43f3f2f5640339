import assert from 'node:assert/strict'
import { defineSchema, t, table } from '../../../schema/index.ts'
import { pick, refused, refusedWhole } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'

const KEYWORDS = [
  'select',
  'from',
  'where',
  'group',
  'order',
  'limit',
  'index',
  'table',
  'user',
  'default',
  'primary',
  'check',
  'references',
  'values',
  'column',
  'all',
  'null',
  'true',
  'rowid',
  'excluded',
  'given',
  'oid',
  '_rowid_',
] as const

const ODD = [
  'double"quote',
  "single'quote",
  'back`tick',
  'a space',
  'semi;colon',
  'back\\slash',
  'per%cent',
  'under_score',
  'question?mark',
  '$1',
  ':name',
  '@at',
  '[bracket]',
  '-- comment',
  '/* comment */',
  'line\nbreak',
  '1',
  'naïve',
  '名前',
  '😀',
] as const

/** Every Object has these, so that a careless look-up finds them in an empty one. */
const INHERITED = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', 'isPrototypeOf'] as const

function textColumns(names: readonly string[]) {
  return Object.fromEntries(names.map((name) => [name, t.text().nullable()]))
}

function wholeRow(names: readonly string[], suffix: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, `${name} ${suffix}`]))
}

/** Writes, reads, changes and breaks a table in every way that names its columns. */
async function exercise(
  { open }: Parameters<ConformanceCase['run']>[0],
  tableName: string,
  names: readonly string[],
): Promise<void> {
  const [first, second] = names as readonly [string, string]
  const schema = defineSchema({
    [tableName]: table({ id: t.integer().primaryKey(), ...textColumns(names) }, {
      unique: [[first, second]],
      indexes: names.slice(0, 5),
    } as object),
  })
  const storage = await open(schema)
  const records = storage.repository<Record<string, unknown>>(tableName) as unknown as {
    create(record: object): Promise<Record<string, unknown>>
    find(query?: object): Promise<Record<string, unknown>[]>
    findById(id: number): Promise<Record<string, unknown> | null>
    update(id: number, patch: object): Promise<Record<string, unknown>>
    upsert(record: object, options: object): Promise<Record<string, unknown>>
  }
  const one = { id: 1, ...wholeRow(names, 'one') }
  const two = { id: 2, ...wholeRow(names, 'two') }
  await records.create(one)
  await records.create(two)
  const all = [one, two]
  assert.deepEqual(await records.findById(2), two)
  for (const name of names) {
    assert.deepEqual(pick(await records.find({ where: { [name]: `${name} two` } }), 'id'), [2], name)
    assert.deepEqual(pick(await records.find({ orderBy: { [name]: 'desc' } }), 'id'), [2, 1], name)
    assert.deepEqual(await records.find({ select: [name], where: { id: 1 } }), [{ [name]: `${name} one` }])
    assert.deepEqual(await records.update(1, { [name]: null }), { ...one, [name]: null })
    await records.update(1, { [name]: `${name} one` })
  }
  await refused(() => records.create({ id: 3, ...wholeRow(names, 'two') }), {
    code: 'CONFLICT_UNIQUE',
    model: tableName,
    fields: [first, second],
  })
  assert.deepEqual(await records.find(), all)
  const changed = await records.upsert(
    { id: 9, ...wholeRow(names, 'two') },
    { on: [first, second], update: { [first]: 'x' } },
  )
  assert.deepEqual(changed, { ...two, [first]: 'x' })
}

export const nameCases: readonly ConformanceCase[] = [
  {
    id: 'names/keywords',
    title: 'Tables and columns may be called by the keywords of SQL',
    run: (context) => exercise(context, 'order', KEYWORDS),
  },
  {
    id: 'names/odd-characters',
    title: 'Tables and columns may hold quotes, spaces, comments, emoji and whatever else SQL gives a meaning to',
    run: (context) => exercise(context, `we"ird ta'ble; drop table x; --`, ODD),
  },
  {
    id: 'names/inherited',
    title: 'What every object inherits is not a field of a table that does not declare it',
    async run({ open }) {
      const things = (await open(defineSchema({ things: table({ id: t.integer().primaryKey() }) }))).repository(
        'things',
      )
      await things.create({ id: 1 })
      for (const name of INHERITED) {
        const value = { [name]: 'x' } as never
        await refusedWhole(things, () => things.create({ id: 2, ...(value as object) }), {
          code: 'VALIDATION',
          paths: [name],
        })
        await refusedWhole(things, () => things.update(1, value), { code: 'VALIDATION', paths: [name] })
        await refusedWhole(things, () => things.find({ where: value }), {
          code: 'VALIDATION',
          paths: [`where.${name}`],
        })
        await refusedWhole(things, () => things.find({ select: [name as never] }), {
          code: 'VALIDATION',
          paths: ['select'],
        })
        await refusedWhole(things, () => things.find({ include: value }), {
          code: 'VALIDATION',
          paths: [`include.${name}`],
        })
      }
    },
  },
  {
    id: 'names/long',
    title: 'Names of 63 bytes stay whole, and the indexes of tables that share their first 60 do not collide',
    async run({ open }) {
      const long = (ending: string) => 'x'.repeat(63 - ending.length) + ending
      const shape = () =>
        table(
          { id: t.integer().primaryKey(), [long('b')]: t.text().unique(), [long('c')]: t.text().unique() },
          { indexes: [[long('b'), long('c')]] },
        )
      const schema = defineSchema({ [long('y')]: shape(), [long('z')]: shape() })
      const storage = await open(schema)
      for (const name of [long('y'), long('z')]) {
        const records = storage.repository(name as never) as unknown as {
          create(record: object): Promise<unknown>
          count(): Promise<number>
        }
        await records.create({ id: 1, [long('b')]: 'b', [long('c')]: 'c' })
        await refused(() => records.create({ id: 2, [long('b')]: 'other', [long('c')]: 'c' }), {
          code: 'CONFLICT_UNIQUE',
          model: name,
          fields: [long('c')],
        })
        assert.equal(await records.count(), 1)
      }
    },
  },
  {
    id: 'names/look-alike-indexes',
    title: 'Indexes, keys and references of tables whose names run together do not stand in for each other',
    async run({ open }) {
      const owners = table({ id: t.integer().primaryKey() })
      const schema = defineSchema({
        user: table({
          id: t.integer().primaryKey(),
          sessionId: t.integer().unique().check({ lt: 100 }).references('owners'),
        }),
        userSession: table(
          { id: t.integer().unique().check({ lt: 10 }).references('owners'), key: t.integer() },
          { primaryKey: ['key'] },
        ),
        owners,
        userSessionIdUnique: owners,
      })
      const storage = await open(schema)
      await storage.repository('owners').createMany([1, 2, 50].map((id) => ({ id })))
      const [user, session] = [storage.repository('user'), storage.repository('userSession')]
      await user.create({ id: 1, sessionId: 1 })
      await session.create({ key: 1, id: 1 })
      const named = { model: 'user', fields: ['sessionId'] } as const
      await refusedWhole(user, () => user.create({ id: 2, sessionId: 1 }), { code: 'CONFLICT_UNIQUE', ...named })
      await refusedWhole(user, () => user.create({ id: 2, sessionId: 3 }), { code: 'CONSTRAINT_FOREIGN_KEY', ...named })
      await refusedWhole(user, () => user.create({ id: 2, sessionId: 100 }), { code: 'CONSTRAINT_CHECK', ...named })
      const other = { model: 'userSession', fields: ['id'] } as const
      await refusedWhole(session, () => session.create({ key: 2, id: 1 }), { code: 'CONFLICT_UNIQUE', ...other })
      await refusedWhole(session, () => session.create({ key: 2, id: 3 }), { code: 'CONSTRAINT_FOREIGN_KEY', ...other })
      await refusedWhole(session, () => session.create({ key: 2, id: 50 }), { code: 'CONSTRAINT_CHECK', ...other })
    },
  },
  {
    id: 'names/look-alike-columns',
    title:
      'Unique columns whose names differ in signs only are each unique, and so are a column and a pair that look alike',
    async run({ open }) {
      const names = ['a-b', 'a b', 'a_b', 'aB_', '😀', '🎉', 'a', 'b']
      const columns = Object.fromEntries(names.map((name) => [name, t.integer()]))
      const unique = ['a-b', 'a b', 'a_b', '😀', '🎉', ['a', 'b']]
      const schema = defineSchema({ rows: table({ id: t.integer().primaryKey(), ...columns }, { unique } as object) })
      const rows = (await open(schema)).repository('rows') as unknown as {
        create(row: object): Promise<object>
        find(): Promise<object[]>
      }
      const row = (id: number, same: readonly string[]) =>
        Object.fromEntries([['id', id], ...names.map((name, at) => [name, same.includes(name) ? at : id * 100 + at])])
      await rows.create(row(1, names))
      for (const fields of unique.map((one) => (Array.isArray(one) ? one : [one]))) {
        const conflict = { code: 'CONFLICT_UNIQUE', model: 'rows', fields } as const
        await refusedWhole(rows, () => rows.create(row(2, fields)), conflict)
      }
      await rows.create(row(2, ['a', 'aB_']))
      await rows.create(row(3, ['b', 'aB_']))
    },
  },
  {
    id: 'names/of-our-own',
    title: 'A field that is called like a part of a call is not taken for it, whichever of the two comes first',
    async run({ open }) {
      const schema = defineSchema({
        rows: table(
          { id: t.integer().primaryKey(), limit: t.integer(), sum: t.integer(), ifVersion: t.integer() },
          { versioned: true },
        ),
      })
      const rows = (await open(schema)).repository('rows')
      await rows.createMany([1, 2].map((id) => ({ id, limit: id, sum: 10 * id, ifVersion: 0 })))
      assert.deepEqual(await rows.find({ select: ['id', 'limit'] }), [
        { id: 1, limit: 1 },
        { id: 2, limit: 2 },
      ])
      assert.deepEqual(await rows.find({ select: ['id'], limit: 1 }), [{ id: 1 }])
      await refused(() => rows.update(1, { sum: 5 }, { ifVersion: 9 }), 'CONFLICT_VERSION')
      assert.equal((await rows.update(1, { sum: 6, ifVersion: 9 })).ifVersion, 9)
      assert.equal(await rows.count({ sum: { gt: 5 } }), 2)
    },
  },
  {
    id: 'names/of-the-database',
    title: 'Names that databases keep for themselves are refused by the schema, before they can be mistaken',
    async run({ open }) {
      const columns = { id: t.integer().primaryKey() }
      for (const name of ['sqlite_master', 'sqliteStats', 'pg_class', 'pgSettings']) {
        await refused(() => open(defineSchema({ [name]: table(columns) })), 'CONFIGURATION')
      }
      for (const name of ['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']) {
        await refused(() => open(defineSchema({ rows: table({ ...columns, [name]: t.text() }) })), 'CONFIGURATION')
      }
      const storage = await open(defineSchema({ rows: table(columns) }))
      for (const name of ['sqlite_master', 'sqlite_sequence', 'pg_class', 'pg_authid', 'pgStatActivity']) {
        await refused(() => storage.repository(name).find(), 'CONFIGURATION')
        await refused(() => storage.repository(name).deleteMany({}), 'CONFIGURATION')
      }
    },
  },
  {
    id: 'names/camel-case',
    title: 'Fields keep their names in TypeScript, however they are called in the database',
    async run({ open }) {
      const schema = defineSchema({
        HTTPLogs: table({ id: t.id(), userID: t.integer(), URL: t.text(), aB1c: t.text(), _x: t.text(), x_: t.text() }),
      })
      const logs = (await open(schema)).repository('HTTPLogs')
      const log = await logs.create({ userID: 1, URL: '/', aB1c: 'a', _x: 'b', x_: 'c' })
      assert.deepEqual(Object.keys(log).sort(), ['URL', '_x', 'aB1c', 'id', 'userID', 'x_'])
      assert.deepEqual(await logs.find({ where: { URL: '/', _x: 'b' } }), [log])
    },
  },
]
