import { describe, expect, it } from 'vitest'
import type { Backend, Connection, Plan, Result } from '../backend/index.ts'
import { systemClock } from '../base/clock.ts'
import { ConflictError, SerializationError, StorageError } from '../base/errors.ts'
import { RootSession } from './root-session.ts'
import type { TransactionSession } from './transaction-session.ts'

const statement = { kind: 'delete', model: 'users', orderBy: [], returning: [] } as const
const conflict = new ConflictError('CONFLICT_UNIQUE', 'users', ['id'])

/** A backend that notes what it is asked to do and fails on demand. */
function recording(fail: (step: string) => unknown = () => undefined): {
  readonly log: string[]
  readonly root: RootSession
} {
  const log: string[] = []
  const step = async (name: string): Promise<void> => {
    log.push(name)
    const error = fail(name)
    if (error !== undefined) throw error
  }
  const execute = async (_: Plan, [name]: readonly unknown[]): Promise<Result> => {
    await step(String(name))
    return { rows: [], count: 0 }
  }
  const connection: Connection = {
    execute,
    stream: () => expect.unreachable(),
    async savepoint(work) {
      await step('savepoint')
      try {
        return await work()
      } catch (error) {
        log.push('undo')
        throw error
      }
    },
  }
  const backend = {
    name: 'recording',
    traits: {},
    prepare: () => ({ statement, gathers: false }),
    execute,
    close: async () => undefined,
    async transaction<T>(_: unknown, work: (connection: Connection) => Promise<T>): Promise<T> {
      await step('begin')
      try {
        const value = await work(connection)
        await step('commit')
        return value
      } catch (error) {
        log.push('rollback')
        throw error
      }
    },
  } as unknown as Backend
  return { log, root: new RootSession(backend, new Map(), systemClock) }
}

const plan: Plan = { statement, gathers: false }
const run = (session: Pick<TransactionSession, 'execute'>, name: string): Promise<Result> =>
  session.execute(plan, [name])

describe('a transaction', () => {
  it('waits for statements nobody awaited before it commits', async () => {
    const { log, root } = recording()
    await root.runTransaction(async (tx) => void run(tx, 'write'), {})
    expect(log).toEqual(['begin', 'write', 'commit'])
  })

  it('whose failed statement was swallowed does not commit', async () => {
    const { log, root } = recording((name) => (name === 'bad' ? conflict : undefined))
    const work = root.runTransaction(async (tx) => {
      await run(tx, 'bad').catch(() => 'swallowed')
      await expect(run(tx, 'next')).rejects.toMatchObject({ code: 'TRANSACTION_FAILED', cause: conflict })
    }, {})
    await expect(work).rejects.toMatchObject({ code: 'TRANSACTION_FAILED', cause: conflict })
    await expect(work).rejects.toBeInstanceOf(StorageError)
    expect(log).toEqual(['begin', 'bad', 'rollback'])
  })

  it('goes on after a failed part that was nested', async () => {
    const { log, root } = recording((name) => (name === 'bad' ? conflict : undefined))
    const outcome = await root.runTransaction(async (tx) => {
      const inner = await tx.runNested((nested) => run(nested, 'bad')).catch((error: unknown) => error)
      await run(tx, 'good')
      return inner
    }, {})
    expect(outcome).toBe(conflict)
    expect(log).toEqual(['begin', 'savepoint', 'bad', 'undo', 'good', 'commit'])
  })

  it('runs nested transactions that start together one after the other', async () => {
    const { log, root } = recording()
    await root.runTransaction(async (tx) => {
      const part = (name: string) =>
        tx.runNested(async (nested) => {
          await run(nested, `${name}1`)
          await run(nested, `${name}2`)
        })
      await Promise.all([part('a'), part('b')])
    }, {})
    expect(log).toEqual(['begin', 'savepoint', 'a1', 'a2', 'savepoint', 'b1', 'b2', 'commit'])
  })

  it('refuses the outer one while a nested one is open, and both once they have ended', async () => {
    const { root } = recording()
    let kept: TransactionSession | undefined
    const work = root.runTransaction(async (tx) => {
      kept = tx
      await tx.runNested(async (nested) => {
        await expect(run(tx, 'outer')).rejects.toMatchObject({ code: 'TRANSACTION_MISUSE' })
        await run(nested, 'inner')
      })
    }, {})
    await work
    await expect(run(kept as TransactionSession, 'late')).rejects.toMatchObject({ code: 'TRANSACTION_MISUSE' })
  })

  it('refuses the storage itself inside, and not what another program part does meanwhile', async () => {
    const { root } = recording()
    const { promise: opened, resolve: open } = Promise.withResolvers<void>()
    const { promise: finish, resolve: end } = Promise.withResolvers<void>()
    const work = root.runTransaction(async () => {
      await expect(root.execute(plan, ['inside'])).rejects.toMatchObject({ code: 'TRANSACTION_MISUSE' })
      await expect(root.transaction(async () => 1)).rejects.toMatchObject({ code: 'TRANSACTION_MISUSE' })
      open()
      await finish
    }, {})
    await opened
    await expect(root.execute(plan, ['outside'])).resolves.toBeDefined()
    end()
    await work
    await expect(root.execute(plan, ['after'])).resolves.toBeDefined()
  })
})

describe('what follows the commit', () => {
  const fail = (): never => {
    throw new Error('followed')
  }
  it.each([
    ['throws', fail],
    ['rejects', async () => fail()],
  ])('is an uncaught exception when it %s, and the transaction is committed', async (_, follow) => {
    const { root } = recording()
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    try {
      const uncaught = new Promise((resolve) =>
        process.once('uncaughtException', (error, origin) => resolve([error.message, origin])),
      )
      await expect(root.runTransaction(async (tx) => tx.afterCommit(follow), {})).resolves.toBeUndefined()
      expect(await uncaught).toEqual(['followed', 'uncaughtException'])
    } finally {
      for (const listener of others) process.on('uncaughtException', listener)
    }
  })
})

describe('a conflict', () => {
  it('is tried again as a whole, and what follows the commit runs once', async () => {
    let conflicts = 2
    const { log, root } = recording((name) =>
      name === 'commit' && conflicts-- > 0 ? new SerializationError('x') : undefined,
    )
    const followed: string[] = []
    await root.runTransaction(async (tx) => {
      tx.afterCommit(() => followed.push('followed'))
      await tx.runNested(async (nested) => nested.afterCommit(() => followed.push('nested')))
      await tx
        .runNested(async (nested) => {
          nested.afterCommit(() => followed.push('undone'))
          throw new Error('x')
        })
        .catch(() => undefined)
    }, {})
    expect(log.filter((name) => name === 'begin')).toHaveLength(3)
    expect(followed).toEqual(['followed', 'nested'])
    expect(root.counters.read().transactions).toEqual({ committed: 1, rolledBack: 2, retried: 2 })
  })

  it('ends in SerializationError when the retries are used up, and is seen behind an error of the program', async () => {
    const { log, root } = recording((name) => (name === 'write' ? new SerializationError('x') : undefined))
    const work = root.runTransaction(
      async (tx) => {
        await run(tx, 'write').catch(() => {
          throw new Error('mine')
        })
      },
      { retries: 2 },
    )
    await expect(work).rejects.toThrow('mine')
    expect(log.filter((name) => name === 'begin')).toHaveLength(3)
  })

  it('in a nested transaction fails the whole', async () => {
    const { root } = recording((name) => (name === 'write' ? new SerializationError('x') : undefined))
    const work = root.runTransaction(
      async (tx) => {
        await tx.runNested((nested) => run(nested, 'write')).catch(() => undefined)
      },
      { retries: 0 },
    )
    await expect(work).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
  })
})

describe('a closed storage', () => {
  it('refuses everything', async () => {
    const { root } = recording()
    await root.close()
    await root.close()
    await expect(root.execute(plan, [])).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(root.transaction(async () => 1)).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
