import { describe, expect, it } from 'vitest'
import { defineSchema, queue, t, table } from '../index.ts'
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
