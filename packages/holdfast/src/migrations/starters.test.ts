import { once } from 'node:events'
import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { counterSchema, counters, countingUp, migrations } from '../../../../test/crash/migrations.ts'
import { isAlive, kill, type StartedProcess, startProcess } from '../../../../test/crash/processes.ts'
import { testBackends } from '../../../../test/targets.ts'
import { openStorage, type Storage } from '../index.ts'

const STARTERS = 8

async function startMigrator(target: string, what = 'all'): Promise<StartedProcess> {
  const child = startProcess('migrator.ts', target, what)
  await once(child, 'message')
  return child
}

const names = async (storage: Storage) =>
  (await storage.migrations.status()).filter(({ state }) => state === 'applied').map(({ name }) => name)

// Memory is not among them: other processes cannot see it, and it says so as a trait.
describe.each(testBackends.filter(({ name }) => name !== 'memory'))('migrations on $name', ({ fresh }) => {
  it(`are applied once by ${STARTERS} processes that start at once`, { timeout: 120_000 }, async () => {
    const { target, drop } = await fresh()
    const children = await Promise.all(Array.from({ length: STARTERS }, () => startMigrator(target)))
    const exits = children.map((child) => once(child, 'exit'))
    for (const child of children) child.send('go')
    expect((await Promise.all(exits)).map(([code]) => code)).toEqual(children.map(() => 0))
    const storage = await openStorage(target, { migrations, autoCreate: false })
    expect(await names(storage)).toEqual(migrations.map(({ name }) => name))
    await storage.close()
    await drop()
  })

  it('go on where a process was killed, once its lock has run out', { timeout: 120_000 }, async () => {
    const { target, drop } = await fresh()
    const storage = await openStorage(target, { autoCreate: false })
    storage.migrations.register(migrations)
    const victim = await startMigrator(target)
    victim.send('go')
    while ((await names(storage)).length === 0) expect(isAlive(victim)).toBe(true)
    await kill(victim)
    const before = await names(storage)
    expect(before).toEqual(migrations.slice(0, before.length).map(({ name }) => name))
    // Its lease has fifteen seconds to run, which are cut to one.
    const second = target.startsWith('sqlite') ? sql`unixepoch() * 1000 + 1000` : sql`now() + interval '1 second'`
    await sql`update holdfast_migration_lock set held_until = ${second}`.execute(storage.sql)
    await storage.migrations.apply()
    expect(await names(storage)).toEqual(migrations.map(({ name }) => name))
    await storage.close()
    await drop()
  })

  it('go on with their rows where a process was killed, and change each once', { timeout: 120_000 }, async () => {
    const { target, drop } = await fresh()
    const storage = await openStorage(target, { migrations: [counters], autoCreate: true, schema: counterSchema })
    const rows = storage.repository('counters')
    await rows.createMany(Array.from({ length: 4_000 }, (_, at) => ({ id: at, n: 0 })))
    storage.migrations.register(countingUp)
    for (let kills = 0; kills < 3; kills++) {
      const before = await rows.count({ n: 1 })
      const victim = await startMigrator(target, 'counting')
      victim.send('go')
      while ((await rows.count({ n: 1 })) === before) expect(isAlive(victim)).toBe(true)
      await kill(victim)
      const second = target.startsWith('sqlite') ? sql`unixepoch() * 1000` : sql`now()`
      await sql`update holdfast_migration_lock set held_until = ${second}`.execute(storage.sql)
      expect((await storage.migrations.status()).at(-1)?.state).toBe('running')
    }
    await storage.migrations.apply()
    expect(await rows.count({ n: 1 })).toBe(4_000)
    await storage.close()
    await drop()
  })
})
