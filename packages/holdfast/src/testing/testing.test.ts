import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { testBackends } from '../../../../test/targets.ts'
import { defineSchema, openStorage, queue, t, table } from '../index.ts'
import { testClock } from './clock.ts'
import { expectStatements } from './query-budget.ts'
import { createTestStorage } from './test-storage.ts'

const schema = defineSchema(
  {
    users: table({ id: t.integer().primaryKey(), team: t.text(), name: t.text() }, { indexes: ['team'] }),
    orders: table({ id: t.id(), userId: t.integer() }, { indexes: ['userId'] }),
    mail: queue<{ to: string }>(),
  },
  ({ many }) => ({ users: { orders: many('orders', 'userId') } }),
)

describe('a query budget', () => {
  it('passes what keeps to it, and gives its value', async () => {
    await using storage = await createTestStorage({ schema })
    const users = storage.repository('users')
    await users.create({ id: 1, team: 'x', name: 'kim' })
    const found = await expectStatements(storage, { atMost: 2, indexed: true }, () =>
      users.find({ where: { team: 'x' }, include: { orders: true } }),
    )
    expect(found).toHaveLength(1)
  })

  it('finds a query in a loop and a missing index, and says which statements', async () => {
    await using storage = await createTestStorage({ schema })
    const users = storage.repository('users')
    const loop = async () => {
      for (const id of [1, 2, 3]) await users.findById(id)
    }
    await expect(expectStatements(storage, { atMost: 2 }, loop)).rejects.toThrow(
      '3 statements were executed, at most 2',
    )
    const scan = () => users.find({ where: { name: 'kim' } })
    await expect(expectStatements(storage, { indexed: true }, scan)).rejects.toThrow(
      /whole table.*\n {2}select users by scan/,
    )
    await expect(expectStatements(storage, {}, () => Promise.reject(new Error('own')))).rejects.toThrow('own')
  })
})

describe.each(testBackends)('a test storage where TEST_STORAGE_URL names $name', ({ fresh }) => {
  it('is empty, alone, and gone when it is closed', async () => {
    const { target, drop } = await fresh()
    vi.stubEnv('TEST_STORAGE_URL', target)
    try {
      const [one, two] = await Promise.all([createTestStorage({ schema }), createTestStorage({ schema })])
      await one.repository('users').create({ id: 1, team: 'x', name: 'kim' })
      expect(await two.repository('users').count()).toBe(0)
      expect((await one.health()).backend).toBe(target.split(':')[0])
      await Promise.all([one.close(), two.close()])
      await one.close()
      await using three = await createTestStorage({ schema })
      expect(await three.repository('users').count()).toBe(0)
    } finally {
      vi.unstubAllEnvs()
    }
    // Nothing was written where the target itself points, and nothing is left beside it.
    await using there = await openStorage(target)
    expect((await there.repository('users').find()).length).toBe(0)
    if (target.startsWith('sqlite:'))
      expect(readdirSync(dirname(target.slice(7))).filter((name) => name.includes('test_'))).toEqual([])
    await there.close()
    await drop()
  })
})

describe('a test storage', () => {
  it('says of a TEST_STORAGE_URL that names no backend what to write', async () => {
    vi.stubEnv('TEST_STORAGE_URL', 'oracle://me:secret@host')
    const error: unknown = await createTestStorage().catch((caught: unknown) => caught)
    vi.unstubAllEnvs()
    expect(error).toMatchObject({ code: 'CONFIGURATION', hint: expect.stringContaining('sqlite') })
    expect(inspect(error)).not.toContain('secret')
  })
})

describe('a test clock', () => {
  it('moves due times and defaults', async () => {
    const clock = testClock()
    await using storage = await createTestStorage({ schema, clock })
    const mail = storage.queue('mail')
    await mail.enqueue({ to: 'kim' }, { delayMs: 60_000 })
    expect(await mail.dequeue()).toBeNull()
    clock.advance(60_000)
    expect((await mail.dequeue())?.data.to).toBe('kim')
  })
})
