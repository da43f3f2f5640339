import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { PostgresServer } from '../../../../test/postgres-server.ts'
import { postgres } from '../backends/postgres/index.ts'
import { isHoldfastError } from '../base/errors.ts'
import { defineSchema, queue, t, table } from '../schema/index.ts'
import { openStorage, type Storage } from './index.ts'

const schema = defineSchema({
  writes: table({ id: t.text().primaryKey(), how: t.text() }),
  pairs: table({ id: t.text().primaryKey() }),
  jobs: queue<string>(),
})
const CALLERS = 32

let server: PostgresServer

beforeAll(async () => {
  // Commits take a while, so that some are under way when the server goes.
  const slowCommits = { fsync: 'on', commit_delay: 10_000, commit_siblings: 0 }
  server = await PostgresServer.start({ max_connections: 40, shared_buffers: '16MB', ...slowCommits })
}, 120_000)
afterAll(() => server.remove())

function open(options: object = {}): Promise<Storage<typeof schema>> {
  return openStorage(postgres({ url: server.url, connectionTimeoutMs: 5_000, ...options }), {
    schema,
    autoCreate: true,
  })
}

/** Runs until the storage works again. */
async function untilBack(storage: Storage<typeof schema>): Promise<void> {
  while (!(await storage.health()).ok) await sleep(20)
}

/** What a caller was told of each of its writes, by their ids. */
interface Told {
  readonly stored: Set<string>
  readonly refused: Set<string>
  readonly unknown: Set<string>
  /** Answers that are none of the ones that a lost server may give. */
  readonly others: unknown[]
}

/** Writes one record after another, each in one of four ways, until it is told to stop. */
async function writeOn(storage: Storage<typeof schema>, caller: number, told: Told, stopped: () => boolean) {
  for (let n = 0; !stopped(); n++) {
    const id = `${caller}-${n}`
    const ways = [
      () => storage.repository('writes').create({ id, how: 'create' }),
      () => storage.repository('writes').upsert({ id, how: 'upsert' }),
      () =>
        storage.transaction(async (tx) => {
          await tx.repository('writes').create({ id, how: 'transaction' })
          await tx.repository('pairs').create({ id })
          await tx.queue('jobs').enqueue(id)
        }),
      () =>
        storage.batch([
          { insert: 'writes', values: { id, how: 'transaction' } },
          { insert: 'pairs', values: { id } },
          { enqueue: 'jobs', data: id },
        ]),
    ]
    try {
      await (ways[n % ways.length] as () => Promise<unknown>)()
      told.stored.add(id)
    } catch (error) {
      if (!isHoldfastError(error)) told.others.push(error)
      else if (error.code === 'UNKNOWN_OUTCOME') told.unknown.add(id)
      else if (['CONNECTION', 'TIMEOUT', 'SERIALIZATION'].includes(error.code)) told.refused.add(id)
      else told.others.push(error)
      await sleep(10)
    }
  }
}

describe('a server that goes away and returns', () => {
  beforeEach(async () => {
    await using storage = await open()
    await storage.repository('writes').deleteMany({})
    await storage.repository('pairs').deleteMany({})
    for (const job of await storage.queue('jobs').dequeueMany(100_000)) await storage.queue('jobs').acknowledge(job)
  })

  it('while the storage is idle makes calls fail until it is back, and then they work', {
    timeout: 120_000,
  }, async () => {
    await using storage = await open()
    const writes = storage.repository('writes')
    await writes.create({ id: 'before', how: 'create' })
    await server.stop()
    await expect(writes.find()).rejects.toMatchObject({ name: 'ConnectionError', code: 'CONNECTION', retryable: true })
    const change = storage.transaction((tx) => tx.repository('writes').create({ id: 'during', how: 'transaction' }), {
      retries: 1,
    })
    await expect(change).rejects.toMatchObject({ name: 'ConnectionError', retryable: true })
    expect(await storage.health()).toMatchObject({ ok: false, error: expect.stringContaining('127.0.0.1') })
    await expect(open({ connectionTimeoutMs: 500 })).rejects.toMatchObject({ code: 'CONNECTION' })
    await server.resume()
    expect(await writes.create({ id: 'after', how: 'create' })).toEqual({ id: 'after', how: 'create' })
    expect((await writes.find()).map(({ id }) => id)).toEqual(['after', 'before'])
    expect(await storage.health()).toMatchObject({ ok: true })
  })

  it.each([
    ['is shut down', () => server.stop(), () => server.resume()],
    ['is killed', async () => server.kill(), () => server.resume()],
    ['loses a session to a crash', () => server.killSession(), async () => undefined],
  ])(
    'and %s under 32 writers has every write that it acknowledged, and none that it said did not happen',
    { timeout: 180_000 },
    async (_, end, resume) => {
      await using storage = await open()
      const told: Told = { stored: new Set(), refused: new Set(), unknown: new Set(), others: [] }
      let stopped = false
      const writers = Array.from({ length: CALLERS }, (_each, caller) => writeOn(storage, caller, told, () => stopped))
      const enough = async (more: number) => {
        for (const goal = told.stored.size + more; told.stored.size < goal; ) await sleep(5)
      }
      await enough(300)
      await end()
      // A crash that is over soon may have met nothing but transactions, which are repeated, so that nobody is told of it.
      for (let looks = 0; told.refused.size + told.unknown.size === 0 && looks < 1_000; looks++) await sleep(5)
      await resume()
      await untilBack(storage)
      await enough(300)
      stopped = true
      await Promise.all(writers)

      expect(told.others).toEqual([])
      const rows = await storage.repository('writes').find()
      const there = new Set(rows.map(({ id }) => id))
      expect([...told.stored].filter((id) => !there.has(id))).toEqual([])
      expect([...told.refused].filter((id) => there.has(id))).toEqual([])
      expect([...there].filter((id) => !told.stored.has(id) && !told.unknown.has(id))).toEqual([])
      // What was one transaction is whole.
      const whole = rows.filter(({ how }) => how === 'transaction').map(({ id }) => id)
      expect((await storage.repository('pairs').find()).map(({ id }) => id)).toEqual(whole)
      const jobs = await storage.queue('jobs').list({ state: 'waiting', limit: 1_000_000 })
      expect(jobs.map(({ data }) => data).sort()).toEqual(whole.toSorted())
    },
  )
})

describe('a server', () => {
  it('that has no connection left refuses some calls, and each says whether it happened', {
    timeout: 60_000,
  }, async () => {
    const storages = await Promise.all([open({ max: 30 }), open({ max: 30 })])
    const [one] = storages as [Storage<typeof schema>, Storage<typeof schema>]
    await one.repository('writes').deleteMany({})
    const told: Told = { stored: new Set(), refused: new Set(), unknown: new Set(), others: [] }
    // Transactions hold their connections, so that more are asked for than there are.
    const held = Promise.withResolvers<void>()
    const calls = storages.flatMap((storage, which) =>
      Array.from({ length: 30 }, async (_, n) => {
        const id = `${which}-${n}`
        try {
          await storage.transaction(
            async (tx) => {
              await tx.repository('writes').create({ id, how: 'held' })
              await held.promise
            },
            { retries: 0 },
          )
          told.stored.add(id)
        } catch (error) {
          if (isHoldfastError(error) && error.code === 'CONNECTION' && error.retryable) told.refused.add(id)
          else told.others.push(error)
          held.resolve()
        }
      }),
    )
    await Promise.all(calls)
    expect(told.others).toEqual([])
    expect(told.refused.size).toBeGreaterThan(0)
    expect(new Set((await one.repository('writes').find()).map(({ id }) => id))).toEqual(told.stored)
    for (const storage of storages) await storage.close()
  })

  it('that takes longer over a statement than it may is a timeout, and the next call works', async () => {
    await using storage = await open({ statementTimeoutMs: 100 })
    const slow = storage.transaction(async (tx) => {
      await tx.repository('writes').create({ id: 'slow', how: 'transaction' })
      await tx.sql.selectNoFrom((builder) => builder.fn<null>('pg_sleep', [builder.val(20)]).as('slept')).execute()
    })
    await expect(slow).rejects.toMatchObject({ name: 'TimeoutError', code: 'TIMEOUT', retryable: true })
    expect(await storage.repository('writes').findById('slow')).toBeNull()
  })
})
