import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { testBackends } from '../../../../test/targets.ts'
import { defineSchema, type Migration, openStorage, type Storage, t, table } from '../index.ts'
import { onCopy } from './on-copy.ts'

const teams = { id: t.integer().primaryKey().generated(), name: t.text() }
const people = {
  id: t.integer().primaryKey().generated(),
  teamId: t.integer().references('teams', { onDelete: 'cascade' }),
  bossId: t.integer().nullable().references('people'),
  nick: t.text().nullable(),
}
const schema = defineSchema({ teams: table(teams), people: table(people) })
const create: Migration = {
  name: '1_create',
  up(m) {
    m.createTable('teams', teams)
    m.createTable('people', { ...people, old: t.text().default('kept') })
  },
}
const drop: Migration = {
  name: '2_drop',
  up: (m) => m.dropColumn('people', 'old'),
  down: (m) => m.addColumn('people', 'old', t.text().default('kept')),
}
const rename: Migration = {
  name: '3_rename',
  up(m) {
    m.data('people', { set: { nick: 'none' }, where: { nick: null } })
    m.renameColumn('people', 'nick', 'nickname')
    m.addCheck('teams', { name: { ne: '' } })
  },
  down(m) {
    m.dropCheck('teams', { name: { ne: '' } })
    m.renameColumn('people', 'nickname', 'nick')
    m.data('people', { set: { nick: null }, where: { nick: 'none' } })
  },
}
const migrations = [create, drop]

async function hashOf(storage: Storage<typeof schema>): Promise<string> {
  const rows = [await storage.repository('teams').find({}), await storage.repository('people').find({})]
  const states = await storage.migrations.status()
  return createHash('sha256')
    .update(JSON.stringify([rows, states]))
    .digest('hex')
}

/** What is beside the database: files, or databases on the server. */
async function neighbours(target: string, storage: Storage<typeof schema>): Promise<unknown[]> {
  if (target.startsWith('sqlite'))
    return readdirSync(dirname(target.slice('sqlite:'.length))).filter((name) => name.includes('copy'))
  return (await sql`select datname from pg_database where datname like 'holdfast_copy%'`.execute(storage.sql)).rows
}

// Memory has nothing that lasts.
describe.each(testBackends.filter(({ name }) => name !== 'memory'))(
  'a copy of a database on $name',
  { timeout: 120_000 },
  ({ fresh }) => {
    it.each(['alone', 'while others are connected'])(
      'is migrated there and back, %s, and the database is not touched',
      async (how) => {
        const { target, drop: remove } = await fresh()
        const options = { schema, migrations, autoCreate: false, autoMigrate: true }
        const first = await openStorage(target, options)
        await first.repository('teams').createMany([{ name: 'a' }, { name: 'b' }])
        await first.repository('people').createMany(
          Array.from({ length: 2_500 }, (_, at) => ({
            teamId: (at % 2) + 1,
            bossId: at === 0 ? null : 2_500 - at,
            nick: at % 3 ? 'x' : null,
          }))
            .reverse()
            .map((one) => ({ ...one, bossId: null })),
        )
        await first.repository('people').updateMany({ id: { gt: 10 } }, { bossId: 5 })
        await first.repository('people').updateMany({ id: 5 }, { bossId: 900 })
        const before = await hashOf(first)
        if (how === 'alone') await first.close()
        const tables: unknown[] = []
        const rehearsal = await onCopy(
          target,
          { ...options, migrations: [...migrations, rename] },
          { most: 10_000, onProgress: ({ table, done }) => done && tables.push(table) },
          (storage) => storage.migrations.rehearse(),
        )
        expect(rehearsal).toMatchObject({ ok: true, migrations: ['3_rename'], differences: [] })
        expect(rehearsal.tables).toEqual([
          { table: 'teams', before: 2, after: 2 },
          { table: 'people', before: 2_500, after: 2_500 },
        ])
        if (how === 'alone') await expect(Promise.resolve(tables)).resolves.toEqual([])
        const after = how === 'alone' ? await openStorage(target, options) : first
        expect(await hashOf(after)).toBe(before)
        expect(await neighbours(target, after)).toEqual([])
        await after.close()
        await remove()
      },
    )

    it('is taken away when the work on it fails', async () => {
      const { target, drop: remove } = await fresh()
      const storage = await openStorage(target, { schema, migrations, autoCreate: false, autoMigrate: true })
      await expect(
        onCopy(target, { schema, migrations }, { most: 10 }, () => Promise.reject(new Error('broken'))),
      ).rejects.toThrow('broken')
      expect(await neighbours(target, storage)).toEqual([])
      await storage.close()
      await remove()
    })
  },
)
