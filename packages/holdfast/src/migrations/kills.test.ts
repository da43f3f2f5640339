import { once } from 'node:events'
import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { base, baseSchema, crossedSchema, crossing } from '../../../../test/crash/migrations.ts'
import { startProcess } from '../../../../test/crash/processes.ts'
import { type FreshTarget, type TestBackend, testBackends } from '../../../../test/targets.ts'
import { openStorage, type Storage } from '../index.ts'

const AUTHORS = 60
/** How many processes are killed side by side. */
const AT_ONCE = 3
/** After every how many statements a process is killed; KILL_EVERY=1 takes minutes. */
const KILL_EVERY = Number(process.env['KILL_EVERY'] ?? 29)

const authors = Array.from({ length: AUTHORS }, (_, id) => ({ id, first: `f${id}`, last: `l${id}`, born: 1900 + id }))
const books = authors.map(({ id }) => ({ id: id + 1_000, authorId: id }))
const crossed = authors.map(({ id, first, last, born }) => ({
  id,
  first,
  bornIn: born + 1,
  fullName: `${first} ${last}`,
}))

/** A database with rows, before the migrations or after them. */
async function seeded(fresh: TestBackend['fresh'], direction: 'up' | 'down'): Promise<FreshTarget> {
  const place = await fresh()
  await using storage = await openStorage(place.target, {
    schema: baseSchema,
    migrations: base,
    autoMigrate: true,
    autoCreate: false,
  })
  await storage.repository('authors').createMany(authors)
  await storage.repository('books').createMany(books)
  await storage.repository('leftovers').create({ id: 1, note: 'kept' })
  if (direction === 'up') return place
  storage.migrations.register(crossing)
  await storage.migrations.apply()
  return place
}

/** Runs the process that is killed after the nth statement; gives how many statements it did, or null when it was killed. */
async function run(target: string, direction: string, last: number): Promise<number | null> {
  const child = startProcess('killed-migrator.ts', target, direction, String(last))
  let done: number | null = null
  child.on('message', (count: number) => {
    done = count
  })
  const [code, signal] = await once(child, 'exit')
  expect([code, signal]).toEqual(done === null ? [null, 'SIGKILL'] : [0, null])
  return done
}

/** The lease of the process that was killed ends, which would take fifteen seconds. */
async function endLease(storage: Storage, target: string): Promise<void> {
  const isThere = (await storage.sql.introspection.getTables()).some(({ name }) => name === 'holdfast_migration_lock')
  if (!isThere) return
  const past = target.startsWith('sqlite') ? sql`0` : sql`to_timestamp(0)`
  await sql`update holdfast_migration_lock set held_until = ${past}`.execute(storage.sql)
}

async function isUp(target: string): Promise<void> {
  await using storage = await openStorage(target, {
    schema: crossedSchema,
    migrations: [...base, ...crossing],
    autoCreate: false,
  })
  expect(await storage.migrations.verify()).toEqual({ ok: true, differences: [] })
  expect(await storage.repository('authors').find()).toEqual(crossed)
  expect(await storage.repository('books').find()).toEqual(
    books.map((one) => ({ ...one, shelfId: null, editorId: null })),
  )
}

async function isDown(target: string): Promise<void> {
  await using storage = await openStorage(target, { schema: baseSchema, migrations: base, autoCreate: false })
  expect(await storage.migrations.verify()).toEqual({ ok: true, differences: [] })
  expect(await storage.repository('authors').find()).toEqual(authors)
  expect(await storage.repository('books').find()).toEqual(books)
  expect(await storage.repository('leftovers').find()).toEqual([{ id: 1, note: 'kept' }])
}

describe.each(testBackends.filter(({ name }) => name !== 'memory'))(
  'a process on $name that is killed',
  ({ fresh }) => {
    async function killedAfter(direction: 'up' | 'down', last: number): Promise<number | null> {
      const { target, drop } = await seeded(fresh, direction)
      const done = await run(target, direction, last)
      {
        await using storage = await openStorage(target, { autoCreate: false })
        storage.migrations.register(base, crossing)
        await endLease(storage, target)
        if (direction === 'up') await storage.migrations.apply()
        else await storage.migrations.rollback({ to: '0_base' })
        const states = (await storage.migrations.status()).map(({ name, state }) => `${name} ${state}`)
        const state = direction === 'up' ? 'applied' : 'pending'
        expect(states).toEqual(['0_base applied', ...crossing.map(({ name }) => `${name} ${state}`)])
        // Whoever comes next need not wait for the lock.
        await storage.migrations.finalize({ waitMs: 0 })
      }
      await (direction === 'up' ? isUp(target) : isDown(target))
      await drop()
      return done
    }

    it.each(['up', 'down'] as const)(
      'after any statement on its way %s loses nothing',
      { timeout: 600_000 },
      async (direction) => {
        const all = (await killedAfter(direction, 0)) ?? 0
        expect(all).toBeGreaterThan(20)
        const points = Array.from({ length: all }, (_, at) => at + 1).filter((at) => at % KILL_EVERY === 0)
        const kill = async (): Promise<void> => {
          for (let last = points.shift(); last !== undefined; last = points.shift())
            expect(await killedAfter(direction, last)).toBeNull()
        }
        await Promise.all(Array.from({ length: AT_ONCE }, kill))
      },
    )
  },
)
