import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { testBackends } from '../../../../test/targets.ts'
import { defineSchema, type Migration, openStorage, type Storage, t, table } from '../index.ts'

const events = { id: t.integer().primaryKey(), at: t.integer().nullable(), kind: t.text() }
const create: Migration = { name: '1_events', up: (m) => m.createTable('events', events) }
const before = defineSchema({ events: table(events) })

/** Waits until a statement like this waits for a lock. */
async function untilWaiting(storage: Storage, text: string): Promise<void> {
  for (;;) {
    const { rows } = await sql`select 1 from pg_stat_activity
      where wait_event_type = 'Lock' and query ilike ${`%${text}%`} and pid <> pg_backend_pid()`.execute(storage.sql)
    if (rows.length > 0) return
    await pause(10)
  }
}

// Elsewhere one writer runs at a time, and there is nothing to be beside of.
describe.each(testBackends.filter(({ name }) => name.startsWith('postgres')))(
  'steps beside others on $name',
  { timeout: 120_000 },
  ({ fresh }) => {
    async function opened() {
      const { target, drop } = await fresh()
      const storage = await openStorage(target, {
        schema: before,
        migrations: [create],
        autoCreate: false,
        autoMigrate: true,
      })
      const rows = storage.repository('events')
      await rows.createMany(Array.from({ length: 50 }, (_, id) => ({ id, at: id, kind: 'a' })))
      return {
        target,
        storage,
        rows,
        close: async () => {
          await storage.close()
          await drop()
        },
      }
    }

    it('let others write while an index is made', async () => {
      const { target, storage, rows, close } = await opened()
      const [migrating, watching] = await Promise.all([1, 2].map(() => openStorage(target, { autoCreate: false })))
      if (migrating === undefined || watching === undefined) throw new Error('no storage')
      migrating.migrations.register(create, {
        name: '2_index',
        up: (m) => m.createIndex('events', ['at'], { concurrently: true }),
      })
      let applied: Promise<unknown> | undefined
      await storage.transaction(async (tx) => {
        await tx.repository('events').create({ id: 100, at: 1, kind: 'b' })
        applied = migrating.migrations.apply()
        // It waits for this transaction, and whoever writes meanwhile would wait for it, were it not made concurrently.
        await untilWaiting(watching, 'create index')
        await sql`insert into events values (101, 2, 'c')`.execute(watching.sql)
      })
      await applied
      expect(await rows.count()).toBe(52)
      await Promise.all([migrating.close(), watching.close()])
      await close()
    })

    it('make an index anew that an interrupted process has left', async () => {
      const { target, storage, rows, close } = await opened()
      await rows.update(1, { at: 0 })
      await expect(
        sql`create unique index concurrently events_at_unique on events (at nulls first)`.execute(storage.sql),
      ).rejects.toThrow()
      const valid = async () =>
        (
          await sql`select indisvalid from pg_index where indexrelid = 'events_at_unique'::regclass`.execute(
            storage.sql,
          )
        ).rows
      expect(await valid()).toEqual([{ indisvalid: false }])
      await rows.update(1, { at: 1 })
      const index: Migration = {
        name: '2_index',
        up: (m) => m.createIndex('events', ['at'], { unique: true, concurrently: true }),
      }
      const after = await openStorage(target, {
        schema: defineSchema({ events: table({ ...events, at: t.integer().nullable().unique() }) }),
        migrations: [create, index],
        autoCreate: false,
        autoMigrate: true,
      })
      expect(await valid()).toEqual([{ indisvalid: true }])
      expect(await after.migrations.verify()).toEqual({ ok: true, differences: [] })
      await after.close()
      await close()
    })

    it('make indexes anew whose names differ only at their ends', async () => {
      const { target, drop } = await fresh()
      const columns = { id: t.integer().primaryKey(), currentBillingPeriodStart: t.timestamp().nullable(), a: t.text() }
      const indexes = [
        ['currentBillingPeriodStart', 'id'],
        ['currentBillingPeriodStart', 'a'],
      ] as const
      const required = { ...columns, currentBillingPeriodStart: t.timestamp() }
      const storage = await openStorage(target, {
        schema: defineSchema({ customerSubscriptions: table(required, { indexes }) }),
        migrations: [
          { name: '1_all', up: (m) => m.createTable('customerSubscriptions', columns, { indexes }) },
          {
            name: '2_required',
            up: (m) =>
              m.alterColumn('customerSubscriptions', 'currentBillingPeriodStart', t.timestamp(), {
                concurrently: true,
              }),
          },
        ],
        autoCreate: false,
        autoMigrate: true,
      })
      expect(await storage.migrations.verify()).toEqual({ ok: true, differences: [] })
      await storage.close()
      await drop()
    })

    it.each([
      ['all of a migration that fails at its first step is undone', false, /Nothing was kept/],
      ['what came before the step that fails stays done', true, /stays done.* goes on from there/],
    ])('say what is kept: %s', async (_, isSecond, hint) => {
      const { target, storage, rows, close } = await opened()
      await rows.update(1, { at: 0 })
      const unique: Migration = {
        name: '2_unique',
        up: (m) => {
          if (isSecond) m.addColumn('events', 'note', t.text().nullable())
          m.createIndex('events', ['at'], { unique: true, concurrently: true })
        },
      }
      const migrating = await openStorage(target, { autoCreate: false })
      migrating.migrations.register(create, unique)
      await expect(migrating.migrations.apply()).rejects.toMatchObject({
        code: 'MIGRATION',
        hint: expect.stringMatching(hint),
      })
      const columns = await sql`select 1 from information_schema.columns where column_name = 'note'`.execute(
        storage.sql,
      )
      expect(columns.rows).toHaveLength(isSecond ? 1 : 0)
      await rows.update(1, { at: 1 })
      await migrating.migrations.apply()
      expect((await migrating.migrations.status()).filter(({ state }) => state !== 'applied')).toEqual([])
      await migrating.close()
      await close()
    })

    it('are what plan shows', async () => {
      const { storage, close } = await opened()
      storage.migrations.register({
        name: '2_all',
        up(m) {
          m.createIndex('events', ['kind'])
          m.alterColumn('events', 'at', t.integer(), { fill: 0, concurrently: true })
          m.createIndex('events', ['at'], { concurrently: true })
          m.dropIndex('events', ['kind'], { concurrently: true })
        },
      })
      const [plan] = await storage.migrations.plan()
      expect(plan?.statements).toEqual([
        'create index if not exists "events_kind_index" on "events" ("kind")',
        'alter table "events" add constraint "holdfast_required_at" check ("at" is not null) not valid',
        `update "events" set "at" = '0'::bigint where "at" is null`,
        'alter table "events" validate constraint "holdfast_required_at"',
        'alter table "events" alter column "at" set not null',
        'alter table "events" drop constraint "holdfast_required_at"',
        'create index concurrently if not exists "events_at_index" on "events" ("at")',
        'drop index concurrently if exists "events_kind_index"',
      ])
      expect(plan?.warnings.filter(({ kind }) => kind === 'locks').map(({ step }) => step)).toEqual([1])
      await storage.migrations.apply()
      await close()
    })
  },
)
