import { chmodSync, existsSync, linkSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SqliteFiles, sqliteDrivers } from '../../../../../test/sqlite.ts'
import { recordsSchema } from '../../../../../test/sqlite-records.ts'
import { SqliteConnection } from './connection.ts'
import { loadDriver } from './load-driver.ts'
import { hasWalResetBug } from './opening.ts'

describe.each(sqliteDrivers)('opening a SQLite file through %s', (driver) => {
  let files: SqliteFiles

  beforeEach(() => {
    files = new SqliteFiles()
  })
  afterEach(() => files[Symbol.asyncDispose]())

  const open = (options: object) => files.open(recordsSchema, { driver, ...options })

  it('refuses a folder that is not there, and a path that is a folder', async () => {
    const missing = open({ path: files.path('missing/test.db') })
    await expect(missing).rejects.toMatchObject({ code: 'CONFIGURATION', message: expect.stringContaining('folder') })
    mkdirSync(files.path('folder'))
    await expect(open({ path: files.path('folder') })).rejects.toMatchObject({ code: 'CONFIGURATION' })
  })

  it('says of another file that it is no database', async () => {
    writeFileSync(files.path(), 'This is a letter, not a database. '.repeat(200))
    await expect(open({})).rejects.toMatchObject({ name: 'StorageError', code: 'CORRUPT' })
  })

  it('refuses writes where it is only to be read', async () => {
    await expect(open({ readOnly: true })).rejects.toMatchObject({ code: 'CONFIGURATION' })
    const db = await files.statements(recordsSchema, { driver })
    await db.insert('records', [{ name: 'a', number: 1 }])
    const reader = await open({ readOnly: true })
    const { statement } = db.selecting('records')
    expect((await reader.execute(reader.prepare(statement), [])).rows).toHaveLength(1)
    const insert = db.inserting('records', [{ name: 'b', number: 2 }])
    const write = reader.execute(reader.prepare(insert.statement), insert.parameters)
    await expect(write).rejects.toMatchObject({ code: 'READ_ONLY' })
    await expect(reader.transaction({}, async () => 1)).rejects.toMatchObject({ code: 'READ_ONLY' })
    await expect(reader.sql?.('delete from records', [])).rejects.toMatchObject({ code: 'READ_ONLY' })
    expect(await reader.transaction({ readOnly: true }, async () => 1)).toBe(1)
  })

  it('refuses a second driver in this process, by whatever name the file goes', async () => {
    const first = await files.statements(recordsSchema, { driver })
    linkSync(files.path(), files.path('other name.db'))
    const other = sqliteDrivers.find((name) => name !== driver)!
    const second = files.open(recordsSchema, { driver: other, path: files.path('other name.db') })
    await expect(second).rejects.toMatchObject({ code: 'CONFIGURATION', message: expect.stringContaining(driver) })
    await first.backend.close()
    await (await files.open(recordsSchema, { driver: other })).ping()
  })

  it('forces commits to the disk unless told otherwise', async () => {
    const full = await open({ durability: 'full' })
    const relaxed = await open({ durability: 'relaxed' })
    const setting = (backend: typeof full) =>
      backend.transaction({}, async (tx) => (await tx.sql?.('pragma synchronous', []))?.rows)
    expect(await setting(full)).toEqual([{ synchronous: 2 }])
    expect(await setting(relaxed)).toEqual([{ synchronous: 1 }])
  })

  it('waits for no disk where a write need not be synced, and for the next one again', async () => {
    const { open: openDriver } = await loadDriver(driver)
    const database = openDriver(files.path('unsynced.db'))
    const synchronous = () => database.query('pragma synchronous', []).rows[0]?.['synchronous']
    const syncing = new SqliteConnection(database, { syncs: true })
    database.exec('pragma journal_mode = wal; pragma synchronous = full')
    expect(syncing.unsynced(synchronous)).toBe(1)
    expect(synchronous()).toBe(2)
    const failing = () => {
      throw new Error('no')
    }
    expect(() => syncing.unsynced(failing)).toThrow('no')
    expect(synchronous()).toBe(2)
    expect(new SqliteConnection(database).unsynced(synchronous)).toBe(2)
    syncing.close()
  })

  it('keeps as many pages in memory with every driver', async () => {
    const backend = await open({})
    expect((await backend.sql?.('pragma cache_size', []))?.rows).toEqual([{ cache_size: -64_000 }])
  })

  it('leaves one whole file behind when it is closed', async () => {
    const db = await files.statements(recordsSchema, { driver })
    await db.insert('records', [{ name: 'a', number: 1 }])
    await db.backend.close()
    expect(existsSync(`${files.path()}-wal`) ? statSync(`${files.path()}-wal`).size : 0).toBe(0)
  })

  it('keeps a database in memory only as long as it is open', async () => {
    const memory = await files.statements(recordsSchema, { driver, path: ':memory:', busyTimeoutMs: 100 })
    expect(memory.backend.traits).toMatchObject({ persistent: false, sharedBetweenProcesses: false })
    await memory.insert('records', [{ name: 'a', number: 1 }])
    const waiting = memory.backend.transaction({}, async (tx) => {
      await memory.insert('records', [{ name: 'b', number: 2 }], {}, tx)
      throw new Error('no')
    })
    const during = memory.select('records')
    await expect(waiting).rejects.toThrow('no')
    expect(await during).toHaveLength(1)
    const stuck = memory.backend.transaction({}, () => memory.select('records'))
    await expect(stuck).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true })
    const streamed: unknown[] = []
    const { statement } = memory.selecting('records')
    for await (const batch of memory.backend.stream(memory.backend.prepare(statement), [])) {
      await memory.insert('records', [{ name: 'c', number: 3 }])
      streamed.push(...batch)
    }
    expect(streamed).toHaveLength(1)
    await memory.backend.close()
    const again = await open({ path: ':memory:' })
    expect(await again.schema.inspect()).toEqual([])
  })

  it.skipIf(process.getuid?.() === 0)('says of a file it may not write to that it is read-only', async () => {
    const db = await files.statements(recordsSchema, { driver })
    await db.backend.close()
    chmodSync(files.path(), 0o444)
    await expect(open({})).rejects.toMatchObject({ code: expect.stringMatching(/READ_ONLY|CONFIGURATION/) })
  })
})

describe('the warning about old versions', () => {
  it('is for those with the WAL-reset bug', () => {
    expect(['3.7.0', '3.45.1', '3.51.2'].map(hasWalResetBug)).toEqual([true, true, true])
    expect(['3.6.23', '3.51.3', '3.53.4', '4.0.0'].map(hasWalResetBug)).toEqual([false, false, false, false])
  })
})
