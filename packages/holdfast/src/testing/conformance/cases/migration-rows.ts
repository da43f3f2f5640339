import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MigrationError } from '../../../base/errors.ts'
import type { Migration, MigrationSteps } from '../../../migrations/index.ts'
import { defineSchema, t, table } from '../../../schema/index.ts'
import { refused } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'
import { addAge, create, fill, open, users } from './migration-fixtures.ts'

export const migrationRowCases: readonly ConformanceCase[] = [
  {
    id: 'migrations/baseline',
    title: 'Migrations are noted as applied to a database that fits them, and refused by one that does not',
    async run({ open: openStorage }) {
      const columns = { id: t.integer().primaryKey(), name: t.text() }
      const storage = await openStorage(defineSchema({ users: table(columns) }))
      const { migrations } = storage
      migrations.register(
        { name: '1_create', up: (m) => m.createTable('users', columns), down: (m) => m.dropTable('users') },
        {
          name: '2_age',
          up: (m) => m.addColumn('users', 'age', t.integer().nullable()),
          down: (m) => m.dropColumn('users', 'age'),
        },
      )
      const error = await refused(() => migrations.baseline(), 'SCHEMA_MISMATCH')
      assert.match(error.message, /users\.age is missing/)
      assert.deepEqual(await migrations.baseline({ to: '1_create' }), ['1_create'])
      assert.deepEqual(
        (await migrations.apply()).map(({ name }) => name),
        ['2_age'],
      )
      await migrations.rollback({ to: null })
    },
  },
  {
    id: 'migrations/rehearse',
    title: 'A rehearsal applies, undoes and applies, and says what a rollback would not give back',
    async run(context) {
      const storage = await open(context)
      await fill(storage)
      storage.migrations.register({
        name: '2_good',
        up: (m) => m.dropColumn('users', 'name'),
        down: (m) => m.addColumn('users', 'name', t.text(), { fill: '' }),
      })
      const good = await storage.migrations.rehearse()
      assert.deepEqual([good.ok, good.migrations, good.differences], [true, ['2_good'], []])
      assert.deepEqual(good.tables, [
        { table: 'users', before: 2, after: 2 },
        { table: 'notes', before: 3, after: 3 },
      ])
      storage.migrations.register({
        name: '3_bad',
        up: (m) => m.data('notes', { set: { userId: 1 } }),
        down: () => undefined,
      })
      const bad = await storage.migrations.rehearse()
      assert.deepEqual([bad.ok, bad.differences], [false, ['notes has other values after the rollback']])
    },
  },
  {
    id: 'migrations/squash',
    title:
      'A migration that replaces others stands for them where all are applied and finalized, and is refused where some are',
    needs: ['persistent'],
    async run(context) {
      const before = await open(context)
      const addNick: Migration = {
        name: '2_nick',
        up: (m) => m.addColumn('users', 'nick', t.text().nullable()),
        down: (m) => m.dropColumn('users', 'nick'),
      }
      const all = {
        name: '2_all',
        replaces: ['1_create', '2_nick'],
        up(m: MigrationSteps) {
          create.up(m)
          addNick.up(m)
        },
        down: (m: MigrationSteps) => create.down?.(m),
      }
      await refused(() => open(context, [all]), 'MIGRATION')
      before.migrations.register(addNick)
      await before.migrations.apply()
      await refused(() => open(context, [all]), 'MIGRATION')
      await before.migrations.finalize()
      const after = await open(context, [all])
      assert.deepEqual(
        (await after.migrations.status()).map(({ name, state }) => [name, state]),
        [['2_all', 'applied']],
      )
      await after.migrations.rollback()
      await after.migrations.apply()
      assert.deepEqual(
        (await after.migrations.status()).map(({ name, state }) => [name, state]),
        [['2_all', 'applied']],
      )
    },
  },
  {
    id: 'migrations/dirty-rows',
    title: 'Rows that keep a rule from being made are named by their keys, and schema and rows stay as they were',
    async run(context) {
      const items = table({ id: t.integer().primaryKey(), name: t.text().nullable(), ownerId: t.integer().nullable() })
      const owners = table({ id: t.integer().primaryKey() })
      const tables: Migration = {
        name: '1_tables',
        up(m) {
          m.createTable('owners', owners)
          m.createTable('items', items)
        },
      }
      const rows = [
        { id: 1, name: 'a', ownerId: 1 },
        { id: 2, name: null, ownerId: 7 },
        { id: 3, name: 'a', ownerId: null },
        ...Array.from({ length: 6 }, (_, at) => ({ id: at + 10, name: null, ownerId: 1 })),
      ]
      const wrong: [string, Migration['up'], RegExp][] = [
        ['null', (m) => m.alterColumn('items', 'name', t.text()), /items 2, 10, 11, 12, 13 and more have no name/],
        ['unique', (m) => m.createIndex('items', 'name', { unique: true }), /items 1, 3 have the same name: "a"/],
        [
          'key',
          (m) => m.addForeignKey('items', 'ownerId', { model: 'owners' }),
          /items 2 refer to no owners by ownerId/,
        ],
        [
          'check',
          (m) => m.addCheck('items', { or: [{ ownerId: null }, { ownerId: { lt: 5 } }] }),
          /items 2 do not meet/,
        ],
        [
          'enum',
          (m) => m.alterColumn('items', 'name', t.enum(['b']).nullable()),
          /items 1, 3 have another name than b/,
        ],
        ['required', (m) => m.addColumn('items', 'age', t.integer()), /items has 9 rows, which would have no age/],
      ]
      const beside = { concurrently: true }
      const wrongBeside: typeof wrong = [
        [
          'null',
          (m) => m.alterColumn('items', 'name', t.text(), beside),
          /items 2, 10, 11, 12, 13 and more have no name/,
        ],
        [
          'unique',
          (m) => m.createIndex('items', 'name', { unique: true, ...beside }),
          /items 1, 3 have the same name: "a"/,
        ],
        [
          'key',
          (m) => m.addForeignKey('items', 'ownerId', { model: 'owners', ...beside }),
          /items 2 refer to no owners/,
        ],
        ['check', (m) => m.addCheck('items', { id: { lt: 15 } }, beside), /items 15 do not meet/],
      ]
      const all = [
        ...wrong.map(([name, up, message]) => ({ name, up, message, more: true })),
        ...wrongBeside.map(([name, up, message]) => ({ name: `${name}_beside`, up, message, more: false })),
      ]
      for (const { name, up, message, more } of all) {
        const options = { migrations: [tables], autoCreate: false, autoMigrate: true }
        const storage = await context.open(defineSchema({ items, owners }), options)
        if ((await storage.repository('items').count()) === 0) {
          await storage.repository('owners').create({ id: 1 })
          await storage.repository('items').createMany(rows)
        }
        storage.migrations.register({
          name: `2_${name}`,
          up(m) {
            // Undone too, where all is one transaction.
            if (more) m.createTable('others', { id: t.id() })
            up(m)
          },
        })
        const error = (await refused(() => storage.migrations.apply(), 'MIGRATION')) as MigrationError
        assert.match(error.message, message)
        assert.deepEqual(
          (await storage.migrations.status()).map(({ state }) => state),
          ['applied', 'pending'],
        )
        assert.deepEqual(await storage.migrations.verify(), { ok: true, differences: [] })
        assert.deepEqual(await storage.repository('items').find(), rows)
      }
    },
  },
  {
    id: 'migrations/drift',
    title: 'What was changed behind the back of migrations is named: columns, indexes, constraints and defaults',
    needs: ['sql', 'persistent'],
    async run({ open: openStorage }) {
      const columns = { id: t.integer().primaryKey(), name: t.text().default('a'), age: t.integer().check({ gte: 0 }) }
      const storage = await openStorage(defineSchema({ users: table(columns, { indexes: ['name'] }) }))
      assert.deepEqual(await storage.migrations.verify(), { ok: true, differences: [] })
      const otherwise = {
        id: t.integer().primaryKey(),
        name: t.text().default('b').unique(),
        extra: t.text().nullable(),
        age: t.integer().check({ gte: 1 }),
        bossId: t.integer().nullable().references('users'),
      }
      await storage.sql.schema.dropTable('users').execute()
      await openStorage(defineSchema({ users: table(otherwise) }))
      const { differences } = await storage.migrations.verify()
      for (const part of [
        'users_name_index of users is missing',
        'users_name_unique of users is not in the schema',
        'users.extra is not in the schema',
        'default of name of users is',
        'users_age_check of users is',
        'foreign key',
      ]) {
        assert.ok(
          differences.some((one) => one.includes(part)),
          `${part} is not in ${differences.join('; ')}`,
        )
      }
    },
  },
  {
    id: 'migrations/types',
    title: 'A column of another type keeps its values, and one that cannot be kept fails the migration',
    async run(context) {
      const storage = await open(context)
      await storage.repository('users').createMany([{ name: '12' }, { name: '-3' }])
      const { migrations } = storage
      migrations.register({
        name: '2_types',
        up(m) {
          m.alterColumn('users', 'name', t.integer())
          m.alterColumn('users', 'name', t.bigint())
          m.alterColumn('users', 'name', t.integer().default(5))
        },
        down: (m) => m.alterColumn('users', 'name', t.text()),
      })
      await migrations.apply()
      await migrations.rollback()
      assert.deepEqual(
        (await storage.repository('users').find()).map(({ name }) => name),
        ['12', '-3'],
      )
      const users = storage.repository('users')
      for (const name of ['no number', '9007199254740992', '-9007199254740992']) {
        await users.create({ name })
        const error = await refused(() => migrations.apply(), 'MIGRATION')
        assert.match(error.message, /2_types failed at step 1 of 3, alterColumn/)
        assert.equal(await users.deleteMany({ name }), 1)
      }
    },
  },
  {
    id: 'migrations/narrower',
    title: 'A bigint becomes an integer where all its values are safe ones; else nothing is changed',
    async run({ open: openStorage }) {
      const schema = defineSchema({ counts: table({ id: t.integer().primaryKey(), n: t.bigint() }) })
      const make: Migration = {
        name: '1',
        up: (m) => m.createTable('counts', { id: t.integer().primaryKey(), n: t.bigint() }),
      }
      const narrow: Migration = { name: '2', up: (m) => m.alterColumn('counts', 'n', t.integer()) }
      const storage = await openStorage(schema, { migrations: [make], autoCreate: false, autoMigrate: true })
      const rows = storage.repository('counts')
      const most = BigInt(Number.MAX_SAFE_INTEGER)
      await rows.createMany([most, -most].map((n, id) => ({ id, n })) as never)
      storage.migrations.register(narrow)
      for (const n of [most + 1n, -most - 1n, -(2n ** 63n)]) {
        await rows.create({ id: 9, n } as never)
        await refused(() => storage.migrations.apply(), 'MIGRATION')
        assert.equal((await rows.findById(9 as never))?.n, n)
        await rows.delete(9 as never)
      }
      await storage.migrations.apply()
      assert.deepEqual(
        (await rows.find()).map(({ n }) => Number(n)),
        [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER],
      )
    },
  },
  {
    id: 'migrations/parking',
    title: 'What a migration drops is given back by a rollback, with its rows, until it is finalized',
    async run(context) {
      const storage = await open(context)
      await fill(storage)
      const { migrations } = storage
      migrations.register({
        name: '2_drop',
        up(m) {
          m.dropTable('notes')
          m.dropColumn('users', 'name')
          m.addColumn('users', 'name', t.integer().nullable())
        },
        down(m) {
          m.dropColumn('users', 'name')
          m.addColumn('users', 'name', t.text(), { fill: '' })
          m.createTable('notes', {
            id: t.integer().primaryKey(),
            userId: t.integer().references('users', { onDelete: 'cascade' }),
          })
        },
      })
      const notes = () => storage.repository('notes').find()
      const before = await notes()
      await migrations.apply()
      await refused(notes, 'DRIVER')
      await migrations.rollback()
      assert.deepEqual(await notes(), before)
      assert.deepEqual(await storage.repository('users').find(), users)
      assert.deepEqual(await migrations.verify(), { ok: true, differences: [] })
      await migrations.apply()
      assert.deepEqual(await migrations.finalize(), ['1_create', '2_drop'])
      await migrations.rollback()
      assert.deepEqual(await notes(), [])
      assert.deepEqual(
        await storage.repository('users').find(),
        users.map(({ id }) => ({ id, name: '' })),
      )
    },
  },
  {
    id: 'migrations/data',
    title:
      'Rows are changed in batches, by one change for all, by a function, or in SQL, and nothing is left out or done twice',
    async run(context) {
      const storage = await open(context)
      const { migrations } = storage
      await storage.repository('users').createMany(Array.from({ length: 25 }, (_, at) => ({ name: `n${at % 5}` })))
      const steps: [number, number][] = []
      migrations.register({
        name: '2_data',
        up(m) {
          m.addColumn('users', 'age', t.integer().nullable())
          m.data('users', { set: { age: 7 }, where: { name: 'n1' }, batch: 4 })
          m.data('users', {
            batch: 10,
            each: async ({ name, age }) => (name === 'n2' ? null : { name: `${name}${age === 7 ? '!' : ''}`, age: 1 }),
          })
          m.data('users', { sql: "name = name || '?'", batch: 25 })
          m.data('users', { each: ({ name, age }) => ({ name, age }) })
          m.alterColumn('users', 'age', t.integer(), { fill: 0 })
        },
        down(m) {
          m.data('users', { each: ({ name }) => ({ name: String(name).slice(0, 2) }), batch: 3 })
          m.dropColumn('users', 'age')
        },
      })
      await migrations.apply({ onProgress: ({ step, rows, done }) => done && steps.push([step, rows]) })
      const sql = context.traits.sql === undefined ? '' : '?'
      assert.deepEqual(steps, [
        [2, 5],
        [3, 20],
        [4, sql === '' ? 0 : 25],
        // Rows whose values stay are left alone.
        [5, 0],
      ])
      const names = async () => (await storage.repository('users').find()).map(({ name }) => name).slice(0, 5)
      assert.deepEqual(
        await names(),
        ['n0', 'n1!', 'n2', 'n3', 'n4'].map((name) => name + sql),
      )
      await refused(() => storage.repository('users').create({ name: 'no age' }), 'CONSTRAINT_NOT_NULL')
      await migrations.rollback()
      assert.deepEqual(await names(), ['n0', 'n1', 'n2', 'n3', 'n4'])
    },
  },
  {
    id: 'migrations/data-meanwhile',
    title:
      'What others write or delete while a function looks at the rows of a data step is neither overwritten nor brought back',
    async run(context) {
      const storage = await open(context)
      const { migrations } = storage
      const rows = storage.repository('users')
      const made = await rows.createMany(['a', 'b', 'c', 'd'].map((name) => ({ name })))
      const [a, b, c, d] = made.map(({ id }) => id) as [number, number, number, number]
      const seen = Promise.withResolvers<void>()
      const meanwhile = seen.promise.then(() => Promise.all([rows.update(a, { name: 'theirs' }), rows.delete(c)]))
      migrations.register({
        name: '2_data',
        up(m) {
          m.addColumn('users', 'age', t.integer().nullable())
          m.data('users', {
            batch: 3,
            async each({ id, name }) {
              seen.resolve()
              // Where others could write now they would be done; elsewhere they wait for this.
              await Promise.race([meanwhile, sleep(100)])
              return id === b ? { name: `${name}!` } : { age: 1 }
            },
          })
        },
        down: (m) => m.dropColumn('users', 'age'),
      })
      await migrations.apply()
      await meanwhile
      assert.deepEqual(await rows.find(), [
        { id: a, name: 'theirs' },
        { id: b, name: 'b!' },
        { id: d, name: 'd' },
      ])
      await migrations.rollback()
    },
  },
  {
    id: 'migrations/data-resumes',
    title:
      'A data step that fails half-way goes on where it was, and nothing is rolled back or edited before it is done',
    async run(context) {
      const storage = await open(context)
      const { migrations } = storage
      await storage.repository('users').createMany(Array.from({ length: 10 }, (_, at) => ({ name: String(at) })))
      let broken = true
      const seen: unknown[] = []
      migrations.register(addAge, {
        name: '3_data',
        up(m) {
          m.addColumn('users', 'note', t.text().nullable())
          m.data('users', {
            batch: 3,
            each(row) {
              if (broken && row['name'] === '7') throw new Error('broken')
              seen.push(row['name'])
              return { note: `of ${row['name']}` }
            },
          })
        },
        down: (m) => m.dropColumn('users', 'note'),
      })
      const error = await refused(() => migrations.apply(), 'MIGRATION')
      assert.match(`${error.message} ${error.hint}`, /3_data failed at step 2 of 2, data: broken .* goes on from there/)
      assert.deepEqual(
        (await migrations.status()).map(({ state }) => state),
        ['applied', 'applied', 'running'],
      )
      await refused(() => migrations.rollback(), 'MIGRATION')
      broken = false
      assert.deepEqual(
        (await migrations.apply()).map(({ name }) => name),
        ['3_data'],
      )
      assert.deepEqual(seen, ['0', '1', '2', '3', '4', '5', '6', '6', '7', '8', '9'])
      await migrations.rollback()
    },
  },
  {
    id: 'migrations/after-auto-create',
    title: 'Migrations go on where autoCreate has added the same things before, and refuse a table that is another',
    async run(context) {
      const storage = await context.open(
        defineSchema({
          users: table({ id: t.integer().primaryKey().generated(), name: t.text(), age: t.integer().nullable() }),
        }),
      )
      await storage.repository('users').create({ name: 'kim', age: 3 })
      storage.migrations.register(
        {
          name: '1_create',
          up: (m) => m.createTable('users', { id: t.integer().primaryKey().generated(), name: t.text() }),
          down: (m) => m.dropTable('users'),
        },
        {
          name: '2_age',
          up: (m) => m.addColumn('users', 'age', t.integer().nullable()),
          down: (m) => m.dropColumn('users', 'age'),
        },
      )
      await storage.migrations.apply()
      assert.deepEqual(await storage.repository('users').find(), [{ id: 1, name: 'kim', age: 3 }])
      await storage.migrations.rollback()
      await refused(() => storage.repository('users').find(), 'DRIVER')
      await storage.migrations.apply()
      storage.migrations.register({ name: '3_other', up: (m) => m.createTable('holdfastMigrations', { id: t.id() }) })
      const error = await refused(() => storage.migrations.apply(), 'SCHEMA_MISMATCH')
      assert.match(error.message, /holdfast_migrations/)
    },
  },
]
