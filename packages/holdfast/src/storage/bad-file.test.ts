import { execFile, execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CompiledQuery } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { programPath } from '../../../../test/program-path.ts'
import { SqliteFiles, sqliteDrivers } from '../../../../test/sqlite.ts'
import { sqlite } from '../backends/sqlite/index.ts'
import { isHoldfastError } from '../base/errors.ts'
import { defineSchema, t, table } from '../schema/index.ts'
import { openStorage, type Storage } from './index.ts'

const schema = defineSchema({
  notes: table({ id: t.integer().primaryKey(), text: t.text() }),
  other: table({ id: t.integer().primaryKey() }),
})
const PAGE = 4096

/** What a process that runs `open-and-write.ts` on these files printed; `shell` changes what it may do first. */
async function inProcess(paths: readonly string[], { shell = '', uid }: { shell?: string; uid?: number } = {}) {
  const program = programPath('open-and-write.ts')
  const quoted = [process.execPath, '--disable-warning=ExperimentalWarning', program, ...paths].map(
    (part) => `'${part}'`,
  )
  const { stdout } = await promisify(execFile)('sh', ['-c', `${shell} exec ${quoted.join(' ')}`], {
    ...(uid !== undefined && { uid, gid: uid }),
  })
  return JSON.parse(stdout) as { opened: number; working: number; error?: Record<string, unknown> }
}

describe.each(sqliteDrivers)('a SQLite file that is not as it should be, through %s', (driver) => {
  let files: SqliteFiles
  const storages: Storage<typeof schema>[] = []

  beforeEach(() => {
    files = new SqliteFiles()
  })
  afterEach(async () => {
    for (const storage of storages.splice(0)) await storage.close()
    await files[Symbol.asyncDispose]()
  })

  async function open(path = files.path()): Promise<Storage<typeof schema>> {
    const storage = await openStorage(sqlite({ path, driver, durability: 'relaxed' }), { schema, autoCreate: true })
    storages.push(storage)
    return storage
  }

  /** A file with 2,000 notes, closed again. */
  async function written(): Promise<string> {
    const storage = await open()
    const notes = Array.from({ length: 2_000 }, (_, id) => ({ id, text: `note ${id} ${'x'.repeat(200)}` }))
    await storage.repository('notes').createMany(notes)
    await storage.repository('other').create({ id: 1 })
    await storage.close()
    storages.pop()
    return files.path()
  }

  /** Every note that can be read; an error of ours in place of those that cannot. */
  async function readAll(storage: Storage<typeof schema>): Promise<unknown> {
    try {
      return (await storage.repository('notes').find()).length
    } catch (error) {
      expect(isHoldfastError(error)).toBe(true)
      return (error as { code: string }).code
    }
  }

  it('because its header is gone is refused, and left as it is', async () => {
    const path = await written()
    const bytes = readFileSync(path)
    bytes.fill(0xff, 0, 100)
    writeFileSync(path, bytes)
    await expect(open()).rejects.toMatchObject({ name: 'StorageError', code: 'CORRUPT', hint: /backup/ })
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })

  it('because pages in its middle are damaged says so where they are read, and not that there are fewer records', async () => {
    const path = await written()
    const bytes = readFileSync(path)
    for (let page = 20; page < 60; page++) bytes.fill(0xa5, page * PAGE, (page + 1) * PAGE)
    writeFileSync(path, bytes)
    const storage = await open()
    expect(await readAll(storage)).toBe('CORRUPT')
    await expect(storage.repository('notes').updateMany({}, { text: 'y' })).rejects.toMatchObject({ code: 'CORRUPT' })
    const change = storage.transaction(async (tx) => {
      await tx.repository('other').create({ id: 2 })
      await tx.repository('notes').deleteMany({})
    })
    await expect(change).rejects.toMatchObject({ name: 'StorageError', code: 'CORRUPT' })
    expect(await storage.repository('other').find()).toEqual([{ id: 1 }])
    await storage.repository('other').create({ id: 3 })
    expect(await storage.repository('other').count()).toBe(2)
  })

  it('because it was cut off is refused, at once or where it is read', async () => {
    const path = await written()
    for (const part of [0.9, 0.5, 0.1]) {
      truncateSync(path, Math.floor((statSync(path).size * part) / PAGE) * PAGE)
      const end = await open().then(
        (storage) => readAll(storage),
        (error: { code: string }) => error.code,
      )
      expect(end).toBe('CORRUPT')
      for (const storage of storages.splice(0)) await storage.close()
    }
  })

  it('because it has no room left takes all of a call or nothing, and goes on when there is room', async () => {
    const storage = await open()
    const notes = storage.repository('notes')
    const pages = (most: number) =>
      storage.transaction((tx) => tx.sql.executeQuery(CompiledQuery.raw(`pragma max_page_count = ${most}`)))
    await pages(60)
    const text = 'x'.repeat(1_000)
    const many = Array.from({ length: 1_000 }, (_, id) => ({ id: 10_000 + id, text }))
    await expect(notes.createMany(many)).rejects.toMatchObject({ name: 'StorageError', code: 'DISK_FULL' })
    expect(await notes.count()).toBe(0)
    const told = await Promise.allSettled(Array.from({ length: 400 }, (_, id) => notes.create({ id, text })))
    const stored = told.flatMap(({ status }, id) => (status === 'fulfilled' ? [id] : []))
    const reasons = told.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: unknown }).code] : []))
    expect(new Set(reasons)).toEqual(new Set(['DISK_FULL']))
    expect(stored.length).toBeGreaterThan(0)
    expect((await notes.find()).map(({ id }) => id)).toEqual(stored)
    const change = storage.transaction(async (tx) => {
      await tx.repository('other').create({ id: 9 })
      await tx.repository('notes').createMany(many)
    })
    await expect(change).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect(await storage.repository('other').count()).toBe(0)
    await pages(1_000_000)
    expect(await notes.createMany(many)).toHaveLength(1_000)
    expect(await notes.count()).toBe(1_000 + stored.length)
  })

  it('on a full disk keeps what it acknowledged, and says that the rest is not there', async ({ skip }) => {
    const disk = files.path('disk')
    mkdirSync(disk)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', disk], { stdio: 'ignore' })
    } catch {
      skip('only root can mount a small disk')
    }
    try {
      const path = join(disk, 'full.db')
      const storage = await open(path)
      const notes = storage.repository('notes')
      const stored: number[] = []
      let reason: unknown
      for (let id = 0; reason === undefined; id++) {
        await notes.create({ id, text: 'x'.repeat(5_000) }).then(
          () => stored.push(id),
          (error: unknown) => {
            reason = error
          },
        )
      }
      expect(reason).toMatchObject({ name: 'StorageError', code: 'DISK_FULL' })
      expect((await notes.find()).map(({ id }) => id)).toEqual(stored)
      await storage.close()
      storages.pop()
      expect((await (await open(path)).repository('notes').find()).map(({ id }) => id)).toEqual(stored)
    } finally {
      for (const storage of storages.splice(0)) await storage.close()
      execFileSync('umount', [disk])
    }
  })
})

describe('a process', () => {
  let files: SqliteFiles
  /** Root may write to everything, so it is somebody else who may not. */
  const nobody = process.getuid?.() === 0 ? { uid: 65_534 } : {}
  /** Why somebody else cannot even start the program; undefined where they can. */
  const hidden = (() => {
    try {
      const needed = ['-r', programPath('open-and-write.ts'), '-a', '-x', process.execPath]
      execFileSync('test', needed, { ...nobody, ...(nobody.uid !== undefined && { gid: nobody.uid }) })
      return undefined
    } catch {
      return 'the sources lie in a folder that only root may enter'
    }
  })()

  beforeEach(({ skip }) => {
    if (hidden !== undefined) skip(hidden)
    files = new SqliteFiles()
  })
  afterEach(() => files?.[Symbol.asyncDispose]())

  it('that may not write to the file hears so, and the file stays as it is', async () => {
    expect(await inProcess([files.path()])).toMatchObject({ opened: 1 })
    const before = readFileSync(files.path())
    chmodSync(files.folder, 0o755)
    chmodSync(files.path(), 0o444)
    const { opened, error } = await inProcess([files.path()], nobody)
    expect(opened).toBe(0)
    expect(error).toMatchObject({ own: true, code: expect.stringMatching(/^(READ_ONLY|CONFIGURATION)$/) })
    expect(readFileSync(files.path()).equals(before)).toBe(true)
  })

  it('that may not write to the folder hears so', async () => {
    chmodSync(files.folder, 0o555)
    const { opened, error } = await inProcess([files.path('new.db')], nobody)
    expect(opened).toBe(0)
    expect(error).toMatchObject({ own: true, name: 'ConfigurationError', hint: expect.stringContaining('permissions') })
    chmodSync(files.folder, 0o755)
  })

  it('that has no files left to open hears so, and what it has open goes on working', async () => {
    if (nobody.uid !== undefined) chownSync(files.folder, nobody.uid, nobody.uid)
    const paths = Array.from({ length: 60 }, (_, at) => files.path(`${at}.db`))
    const { opened, working, error } = await inProcess(paths, { shell: 'ulimit -n 80;', ...nobody })
    expect(opened).toBeGreaterThan(0)
    expect(opened).toBeLessThan(60)
    expect(working).toBe(opened)
    expect(error).toMatchObject({ own: true, code: 'CONFIGURATION' })
  })
})
