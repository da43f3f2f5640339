import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SqliteFiles, sqliteDrivers } from '../../../../../test/sqlite.ts'
import type { Statements } from '../../../../../test/statements.ts'
import { defineSchema, t, table } from '../../schema/index.ts'
import { Failures } from './failures.ts'
import { loadDriver } from './load-driver.ts'
import { openReader } from './opening.ts'
import type { ReadPlan } from './plan.ts'
import { FileReads } from './reads.ts'
import { WorkerUnavailable } from './worker.ts'
import { Workers } from './workers.ts'

const ROWS = 20_000

const schema = defineSchema({
  items: table(
    { id: t.integer().primaryKey().generated(), team: t.text(), score: t.bigint(), photo: t.bytes().nullable() },
    { indexes: ['team'] },
  ),
  small: table({ id: t.integer().primaryKey(), score: t.integer() }),
})

describe.each(sqliteDrivers)('long reads in SQLite, through %s', (driver) => {
  let files: SqliteFiles
  let db: Statements
  let started: Worker[]
  const note = (worker: Worker): void => void started.push(worker)

  beforeEach(async () => {
    files = new SqliteFiles()
    db = await files.statements(schema, { driver })
    const rows = Array.from({ length: ROWS }, (_, at) => ({
      team: `team ${at % 10}`,
      score: BigInt(at),
      photo: at === 5 ? Uint8Array.of(1) : null,
    }))
    await db.insert('items', rows)
    started = []
    process.on('worker', note)
  })
  afterEach(async () => {
    process.off('worker', note)
    await files[Symbol.asyncDispose]()
  })

  const summed = () =>
    db.select('items', {
      outputs: (field) => [{ kind: 'aggregate', name: 'sum', function: 'sum', field: field('score') }],
      groupBy: [],
    })

  it('go through a big table in a worker', async () => {
    expect(await summed()).toEqual([{ sum: BigInt((ROWS * (ROWS - 1)) / 2) }])
    expect(started).toHaveLength(1)
    const all = await db.select('items', { where: { photo: { ne: null } } })
    expect(all).toEqual([{ id: 6, team: 'team 5', score: 5n, photo: Uint8Array.of(1) }])
    expect(await db.select('items')).toHaveLength(ROWS)
    expect(started).toHaveLength(1)
  })

  it('see what was committed just before', async () => {
    await summed()
    await db.insert('items', [{ team: 'x', score: 1_000_000n, photo: null }])
    expect(await summed()).toEqual([{ sum: BigInt((ROWS * (ROWS - 1)) / 2 + 1_000_000) }])
  })

  it('run at the same time, in two workers at most', async () => {
    const all = await Promise.all([summed(), summed(), db.select('items'), summed()])
    expect(all.map((rows) => rows.length)).toEqual([1, 1, ROWS, 1])
    expect(started).toHaveLength(2)
  })

  it('stay on the main thread where they are short', async () => {
    await db.select('items', { where: { id: 5 } })
    await db.select('items', { where: { team: 'team 1' }, limit: 5 })
    await db.select('items', { limit: 5 })
    await db.select('small')
    expect(started).toEqual([])
  })

  it('stay on the connection of a transaction', async () => {
    await db.backend.transaction({}, async (tx) => {
      await db.delete('items', {}, tx)
      expect(await db.select('items', {}, tx)).toEqual([])
    })
    expect(started).toEqual([])
  })

  it('stream from a worker as fast as they are read, and can be left', async () => {
    const { statement } = db.selecting('items', { orderBy: [{ score: 'desc' }] })
    const plan = db.backend.prepare(statement)
    let rows = 0
    for await (const batch of db.backend.stream(plan, [])) {
      if (rows === 0) await db.delete('items', { where: { team: 'team 3' } })
      rows += batch.length
    }
    expect(rows).toBe(ROWS)
    for await (const [first] of db.backend.stream(plan, [])) {
      expect(first).toMatchObject({ score: BigInt(ROWS - 1) })
      break
    }
    expect(started).toHaveLength(1)
    expect(await summed()).toHaveLength(1)
  })

  it('tell of errors as the main thread does', async () => {
    await summed()
    const { statement } = db.selecting('items')
    const plan = db.backend.prepare(statement)
    await db.backend.schema.apply([{ kind: 'dropTable', table: 'items' }])
    await expect(db.backend.execute(plan, [])).rejects.toMatchObject({ code: 'DRIVER' })
  })

  it('are waited for by close', async () => {
    const reading = summed()
    await db.backend.close()
    expect(await reading).toHaveLength(1)
  })

  it('get another worker when theirs has died', async () => {
    await summed()
    await started[0]?.terminate()
    expect(await summed()).toHaveLength(1)
    expect(started).toHaveLength(2)
  })

  it('run on the main thread where no worker can be started', async () => {
    const { statement } = db.selecting('items')
    const plan = db.backend.prepare(statement) as ReadPlan
    const loaded = await loadDriver(driver)
    const workers = new Workers({ driver, path: files.path() })
    vi.spyOn(workers, 'read').mockRejectedValue(new WorkerUnavailable('left out by a bundler'))
    const failures = new Failures(loaded, schema.models)
    const reads = new FileReads({ open: () => openReader(loaded, files.path()), workers, failures, busyTimeoutMs: 100 })
    expect((await reads.execute(plan, [])).count).toBe(ROWS)
    await reads.close()
  })
})
