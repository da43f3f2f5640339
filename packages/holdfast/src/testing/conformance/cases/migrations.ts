import assert from 'node:assert/strict'
import type { MigrationError } from '../../../base/errors.ts'
import type { Migration, MigrationSteps } from '../../../migrations/index.ts'
import { defineSchema, t, table } from '../../../schema/index.ts'
import { refused } from '../assertions.ts'
import type { ConformanceCase } from '../case.ts'
import { addAge, create, fill, first, open, openEmpty, users } from './migration-fixtures.ts'

export const migrationCases: readonly ConformanceCase[] = [
  {
    id: 'migrations/apply',
    title: 'Migrations are applied in order, once, and the ledger says which, when, how long and by whom',
    async run(context) {
      const storage = await open(context)
      assert.deepEqual(await storage.migrations.apply(), [])
      storage.migrations.register(addAge, create)
      assert.deepEqual(
        (await storage.migrations.status()).map(({ name, state }) => [name, state]),
        [
          ['1_create', 'applied'],
          ['2_add_age', 'pending'],
        ],
      )
      assert.deepEqual(
        (await storage.migrations.apply()).map(({ name }) => name),
        ['2_add_age'],
      )
      const [one, two] = await storage.migrations.status()
      assert.deepEqual([one?.state, two?.state], ['applied', 'applied'])
      assert.ok(two?.appliedAt instanceof Date && (two.durationMs ?? -1) >= 0 && (two.appliedBy ?? '').includes('@'))
      assert.deepEqual(await storage.migrations.apply(), [])
    },
  },
  {
    id: 'migrations/to',
    title: 'Migrations are applied up to one, and rolled back by number, down to one, or all',
    async run(context) {
      const storage = await openEmpty(context)
      const { migrations } = storage
      migrations.register(create, addAge, { name: '3_nothing', up: () => undefined, down: () => undefined })
      const state = async () => (await migrations.status()).filter((one) => one.state === 'applied').length
      await migrations.apply({ to: '2_add_age' })
      assert.equal(await state(), 2)
      await migrations.apply()
      assert.equal(await state(), 3)
      assert.deepEqual(
        (await migrations.rollback()).map(({ name }) => name),
        ['3_nothing'],
      )
      await migrations.rollback({ to: '1_create' })
      assert.equal(await state(), 1)
      await migrations.apply()
      await migrations.rollback({ steps: 2 })
      assert.equal(await state(), 1)
      await migrations.rollback({ to: null })
      assert.equal(await state(), 0)
      assert.deepEqual(await migrations.rollback(), [])
      await refused(() => migrations.apply({ to: 'none' }), 'MIGRATION')
      await refused(() => migrations.rollback({ to: 'none' }), 'MIGRATION')
    },
  },
  {
    id: 'migrations/keeps-rows',
    title: 'A table is altered with its rows, those that refer to them, and the keys that were given',
    async run(context) {
      const storage = await open(context)
      await fill(storage)
      storage.migrations.register({
        name: '2_alter',
        up(m) {
          m.addColumn('users', 'joinedAt', t.timestamp().defaultNow())
          m.addColumn('users', 'role', t.enum(['admin', 'guest']).default('guest'))
          m.alterColumn('users', 'name', t.text().unique().check({ ne: '' }))
          m.createIndex('users', ['role', 'name'])
          m.addCheck('users', { or: [{ role: 'guest' }, { name: { ne: 'x' } }] })
          m.alterColumn('users', 'role', t.enum(['admin', 'guest', 'owner']).default('owner'))
        },
        down(m) {
          m.alterColumn('users', 'role', t.enum(['admin', 'guest']).default('guest'))
          m.dropCheck('users', { or: [{ role: 'guest' }, { name: { ne: 'x' } }] })
          m.dropIndex('users', ['role', 'name'])
          m.alterColumn('users', 'name', t.text())
          m.dropColumn('users', 'role')
          m.dropColumn('users', 'joinedAt')
        },
      })
      const people = storage.repository('users')
      const check = async () => {
        assert.deepEqual(await people.find(), users)
        assert.equal(await storage.repository('notes').count(), 3)
      }
      await storage.migrations.apply()
      await check()
      await refused(() => people.create({ name: 'kim' }), 'CONFLICT_UNIQUE')
      await refused(() => people.create({ name: '' }), 'CONSTRAINT_CHECK')
      await storage.migrations.rollback()
      await check()
      await people.create({ id: 9, name: 'kim' })
      await people.delete(9)
      const { id } = await people.create({ name: 'next' })
      assert.ok(id > 3, 'a key that was given is not given again')
      await people.delete(1)
      assert.deepEqual(await storage.repository('notes').find(), [
        { id: 1, userId: 2 },
        { id: 3, userId: 2 },
      ])
    },
  },
  {
    id: 'migrations/rename',
    title: 'Tables and columns are called otherwise, in indexes, checks, keys and references too',
    async run(context) {
      const storage = await open(context)
      await fill(storage)
      storage.migrations.register({
        name: '2_rename',
        up(m) {
          m.createIndex('users', ['name'], { unique: true })
          m.addCheck('users', { id: { gte: 0 } })
          m.renameTable('users', 'people')
          m.renameColumn('people', 'id', 'number')
          m.renameColumn('people', 'name', 'fullName')
          m.renameColumn('notes', 'userId', 'personNumber')
        },
        down(m) {
          m.renameColumn('notes', 'personNumber', 'userId')
          m.renameColumn('people', 'fullName', 'name')
          m.renameColumn('people', 'number', 'id')
          m.renameTable('people', 'users')
          m.dropCheck('users', { id: { gte: 0 } })
          m.dropIndex('users', ['name'], { unique: true })
        },
      })
      await storage.migrations.apply()
      await storage.migrations.rollback()
      assert.deepEqual(await storage.repository('users').find(), users)
      await refused(() => storage.repository('notes').create({ id: 4, userId: 4 }), {
        code: 'CONSTRAINT_FOREIGN_KEY',
        model: 'notes',
        fields: ['userId'],
      })
      assert.deepEqual(await storage.migrations.verify(), { ok: true, differences: [] })
      await storage.repository('users').delete(2)
      assert.equal(await storage.repository('notes').count(), 1)
      if (!context.traits.persistent) return
      await storage.migrations.apply()
      const people = table(
        { number: t.integer().primaryKey().generated(), fullName: t.text().unique() },
        { checks: [{ number: { gte: 0 } }] },
      )
      const personNumber = t.integer().references('people', { onDelete: 'cascade' })
      const notes = table({ id: t.integer().primaryKey(), personNumber })
      const after = await context.open(defineSchema({ people, notes }), { autoCreate: false })
      assert.deepEqual(await after.migrations.verify(), { ok: true, differences: [] })
      assert.deepEqual(await after.repository('people').find(), [{ number: 1, fullName: 'kim' }])
      await refused(() => after.repository('people').create({ fullName: 'kim' }), {
        code: 'CONFLICT_UNIQUE',
        model: 'people',
        fields: ['fullName'],
      })
    },
  },
  {
    id: 'migrations/failure',
    title: 'A migration that fails leaves the schema and the ledger as they were; those before it stay applied',
    async run(context) {
      const storage = await open(context)
      await fill(storage)
      const { migrations } = storage
      migrations.register(addAge, {
        name: '3_fails',
        up(m) {
          m.createTable('more', { id: t.id() })
          m.dropColumn('users', 'age')
          m.createIndex('notes', ['userId'], { unique: true })
        },
      })
      const error = (await refused(() => migrations.apply(), 'MIGRATION')) as MigrationError
      assert.match(error.message, /3_fails failed at step 3 of 3/)
      assert.deepEqual(
        (await migrations.status()).map(({ state }) => state),
        ['applied', 'applied', 'pending'],
      )
      await refused(() => storage.repository('users').create({ name: 'no age' }), 'CONSTRAINT_NOT_NULL')
      await storage.repository('notes').delete(3)
      await storage.repository('notes').delete(1)
      await migrations.apply()
      await storage.repository('users').create({ name: 'no age' })
      await refused(() => migrations.rollback(), 'MIGRATION')
    },
  },
  {
    id: 'migrations/kept',
    title: 'A migration that fails says whether some of it stays done, which is what the ledger says',
    async run(context) {
      const storage = await open(context)
      await fill(storage)
      const { migrations } = storage
      const addUnique = (m: MigrationSteps) => {
        m.createIndex('users', ['name'], { unique: true, concurrently: true })
        m.dropIndex('users', ['name'], { unique: true })
      }
      const refuseLast = (m: MigrationSteps, batch: number) =>
        m.data('users', {
          batch,
          each(row) {
            if ((row['id'] as number) > users.length) throw new Error('broken')
            return {}
          },
        })
      const failing: readonly ((m: MigrationSteps) => void)[] = [
        addUnique,
        (m) => {
          m.addColumn('notes', 'at', t.integer().nullable())
          addUnique(m)
        },
        (m) => refuseLast(m, 100),
        (m) => refuseLast(m, 1),
        (m) => {
          m.data('users', { set: { name: 'kim' }, where: { id: 1 } })
          addUnique(m)
        },
      ]
      for (const [at, up] of failing.entries()) {
        const inTheWay = await storage.repository('users').create({ name: 'kim' })
        migrations.register({
          name: `${at + 2}_fails`,
          up,
        })
        const error = (await refused(() => migrations.apply(), 'MIGRATION')) as MigrationError
        const isKept = (await migrations.status()).at(-1)?.state === 'running'
        assert.match(error.hint, isKept ? /stays done/ : /Nothing (of it )?was kept/)
        await storage.repository('users').delete(inTheWay.id)
        await migrations.apply()
      }
    },
  },
  {
    id: 'migrations/references',
    title: 'References are added where every row has its target, and taken away',
    async run(context) {
      const storage = await open(context)
      await fill(storage)
      const { migrations } = storage
      migrations.register({
        name: '2_free',
        up: (m) => m.dropForeignKey('notes', 'userId'),
        down: (m) => m.addForeignKey('notes', 'userId', { model: 'users', onDelete: 'cascade' }),
      })
      await migrations.apply()
      await storage.repository('notes').create({ id: 4, userId: 77 })
      await refused(() => migrations.rollback(), 'MIGRATION')
      await storage.repository('notes').delete(4)
      await migrations.rollback()
      await storage.repository('users').delete(1)
      assert.equal(await storage.repository('notes').count(), 2)
    },
  },
  {
    id: 'migrations/edited',
    title: 'A migration that was edited after it was applied, or is not there any more, is named and nothing is run',
    needs: ['persistent'],
    async run(context) {
      await (await open(context)).close()
      const changed: Migration = { ...create, up: (m) => m.createTable('users', { id: t.id() }) }
      const edited = await refused(() => open(context, [changed, addAge]), 'MIGRATION')
      assert.match(edited.message, /edited after they were applied: 1_create/)
      const missing = await refused(() => open(context, [addAge]), 'MIGRATION')
      assert.match(missing.message, /not registered here: 1_create/)
      const storage = await context.open(first, { autoCreate: false })
      storage.migrations.register(changed)
      assert.deepEqual(
        (await storage.migrations.status()).map(({ name, state }) => [name, state]),
        [['1_create', 'edited']],
      )
    },
  },
  {
    id: 'migrations/behind',
    title: 'A database that lacks migrations is refused where they are not applied by themselves, naming them',
    needs: ['persistent'],
    async run(context) {
      await (await open(context)).close()
      const options = { migrations: [create, addAge], autoCreate: false }
      const error = (await refused(() => context.open(first, options), 'SCHEMA_MISMATCH')) as MigrationError
      assert.deepEqual(error.differences, ['the migration 2_add_age is not applied'])
    },
  },
  {
    id: 'migrations/ahead',
    title: 'An application that is older than the database is refused, and told which version to start or what to undo',
    needs: ['persistent'],
    async run(context) {
      const newer = await open(context)
      newer.migrations.register(addAge)
      await newer.migrations.apply()
      await newer.close()
      for (const autoMigrate of [false, true]) {
        const options = { migrations: [create], autoCreate: false, autoMigrate }
        const error = (await refused(() => context.open(first, options), 'MIGRATION')) as MigrationError
        assert.deepEqual(error.differences, ['2_add_age is missing'])
        assert.match(error.hint, /start that one, or undo them .* migrate down --to 1_create/)
      }
      // Whoever forgot to name them must not be told to undo them.
      const bare = (await refused(() => context.open(first), 'MIGRATION')) as MigrationError
      assert.match(bare.hint, /^Open it with them/)
      const storage = await openEmpty(context)
      storage.migrations.register(create, addAge)
      const states = (await storage.migrations.status()).map(({ state }) => state)
      assert.deepEqual(states, ['applied', 'applied'])
    },
  },
  {
    id: 'migrations/late',
    title: 'A migration that comes before applied ones is applied if the order makes no difference, else refused',
    async run(context) {
      const storage = await openEmpty(context)
      const { migrations } = storage
      const renames: Migration = {
        name: '3_rename',
        up: (m) => m.renameColumn('users', 'name', 'fullName'),
        down: (m) => m.renameColumn('users', 'fullName', 'name'),
      }
      migrations.register(create, addAge, renames)
      await migrations.apply({ to: '1_create' })
      const other = context.traits.persistent ? await openEmpty(context) : storage
      if (other !== storage) {
        other.migrations.register(create, renames)
        await other.migrations.apply()
        await migrations.apply()
        assert.deepEqual(
          (await migrations.status()).map(({ name }) => name),
          ['1_create', '3_rename', '2_add_age'],
        )
        await migrations.rollback({ steps: 2 })
      }
      await migrations.rollback({ to: null })
    },
  },
  {
    id: 'migrations/wrong-steps',
    title: 'Steps that do not follow from those before are refused before anything is done',
    async run(context) {
      const storage = await openEmpty(context)
      const wrong: [string, Migration['up']][] = [
        ['no table', (m) => m.dropTable('none')],
        ['no column', (m) => m.dropColumn('users', 'none')],
        ['twice', (m) => m.createTable('users', { id: t.id() })],
        ['a column twice', (m) => m.addColumn('users', 'name', t.text())],
        ['referred to', (m) => m.dropTable('users')],
        ['no index', (m) => m.dropIndex('users', ['name'])],
        ['a reference to nowhere', (m) => m.addForeignKey('users', 'name', { model: 'none' })],
        ['an unknown field', (m) => m.createIndex('users', ['none'])],
      ]
      for (const [name, up] of wrong) {
        const one = await openEmpty(context)
        one.migrations.register(create)
        one.migrations.register({ name, up })
        await refused(() => one.migrations.apply(), 'MIGRATION')
        await one.close()
      }
      assert.deepEqual((await storage.migrations.status()).length <= 1, true)
    },
  },
  {
    id: 'migrations/wrong-down',
    title: 'A rollback whose `down` does not lead back is refused before anything is done',
    async run(context) {
      const storage = await open(context)
      const { migrations } = storage
      migrations.register({ ...addAge, down: (m) => m.renameColumn('users', 'age', 'years') })
      await migrations.apply()
      const error = await refused(() => migrations.rollback(), 'MIGRATION')
      assert.match(error.message, /2_add_age does not lead back/)
      assert.equal((await migrations.status())[1]?.state, 'applied')
    },
  },
  {
    id: 'migrations/sql',
    title: 'SQL and views are run in the transaction of their migration, each text on its database',
    needs: ['sql'],
    async run(context) {
      const storage = await open(context)
      await fill(storage)
      const { migrations } = storage
      migrations.register({
        name: '2_sql',
        up(m) {
          m.sql({
            sqlite: "update users set name = 'a'; update users set name = name || 'b'",
            postgres: "update users set name = 'a'; update users set name = name || 'b'",
          })
          m.createView('names', 'select name, id from users')
          m.addColumn('users', 'age', t.integer().nullable())
          m.alterColumn('users', 'name', t.text().nullable())
        },
        down(m) {
          m.dropView('names')
          m.alterColumn('users', 'name', t.text())
          m.dropColumn('users', 'age')
        },
      })
      await migrations.apply()
      const seen = await storage.sql
        .selectFrom('names' as never)
        .selectAll()
        .orderBy('id' as never)
        .execute()
      assert.deepEqual(
        (seen as { name: string }[]).map(({ name }) => name),
        ['ab', 'ab'],
      )
      await migrations.rollback()
      migrations.register({ name: '3_other', up: (m) => m.sql({}) })
      assert.match((await refused(() => migrations.apply(), 'MIGRATION')).message, /has SQL, but none for/)
      await migrations.rollback()
      const wrong: [string, Migration['up']][] = [
        ['commit', (m) => m.sql("update users set name = 'lost'; commit")],
        ['rollback', (m) => m.data('users', { sql: "name = 'lost'; rollback" })],
      ]
      for (const [name, up] of wrong) {
        const one = await openEmpty(context)
        one.migrations.register(create, { name, up })
        const error = await refused(() => one.migrations.apply(), 'MIGRATION')
        assert.match(error.message, new RegExp(`The migration ${name} failed before its first step: .* says ${name}`))
      }
    },
  },
]
