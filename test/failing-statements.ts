import type {
  Backend,
  BackendFactory,
  Connection,
  Executor,
  Plan,
  Settled,
} from '../packages/holdfast/src/backend/index.ts'
import { ConnectionError, UnknownOutcomeError } from '../packages/holdfast/src/base/errors.ts'
import type { Statement } from '../packages/holdfast/src/statement/index.ts'
import { backendOf } from '../packages/holdfast/src/storage/targets.ts'

/** Chooses statements. */
export type Chooses = (statement: Statement, parameters: readonly unknown[]) => boolean

/** A backend on which statements fail before they are executed, as where a connection cannot be had. */
export interface FailingStatements {
  readonly backend: BackendFactory
  /** The next `times` statements that are chosen fail; the promise resolves with the last of them. */
  fail(chooses: Chooses, times?: number): Promise<void>
  /** Resolves when a statement that is chosen is to be executed. */
  seen(chooses: Chooses): Promise<void>
  /** The reply to the commit of the next transaction that ends is lost: it was committed, unless it `isUndone`. */
  loseCommit(isUndone?: boolean): void
  /** Does something before the next statement that is chosen is executed. */
  before(chooses: Chooses, work: () => Promise<unknown>): void
}

interface Waiting {
  readonly chooses: Chooses
  readonly fails: boolean
  left: number
  readonly resolve: () => void
}

/** Opens the backend that a target names, on which statements can be made to fail. */
export async function failingStatements(target: string): Promise<FailingStatements> {
  const waiting = new Set<Waiting>()
  const delaying = new Set<{ readonly chooses: Chooses; readonly work: () => Promise<unknown> }>()
  const delay = async ({ statement }: Plan, parameters: readonly unknown[]): Promise<void> => {
    for (const one of delaying) {
      if (!one.chooses(statement, parameters)) continue
      delaying.delete(one)
      await one.work()
    }
  }
  const errorOf = ({ statement }: Plan, parameters: readonly unknown[]): ConnectionError | undefined => {
    let fails = false
    for (const one of waiting) {
      if (!one.chooses(statement, parameters)) continue
      fails ||= one.fails
      if (--one.left > 0) continue
      waiting.delete(one)
      one.resolve()
    }
    return fails ? new ConnectionError('The connection is made to fail.') : undefined
  }
  const execute =
    (on: Executor): Executor['execute'] =>
    async (plan, parameters) => {
      const error = errorOf(plan, parameters)
      if (error !== undefined) throw error
      if (delaying.size > 0) await delay(plan, parameters)
      return on.execute(plan, parameters)
    }
  const executeTogether =
    (on: Backend): Backend['executeTogether'] =>
    async (calls) => {
      const failed = new Map(calls.map((call) => [call, errorOf(call.plan, call.parameters)]))
      const others = calls.filter((call) => failed.get(call) === undefined)
      const settled = others.length === 0 ? [] : await on.executeTogether(others)
      return calls.map((call): Settled => {
        const error = failed.get(call)
        return error === undefined ? (settled[others.indexOf(call)] as Settled) : { error }
      })
    }
  let lost: { readonly isUndone: boolean } | undefined
  /** Whether the transaction that ends now is the one whose commit is lost. */
  const isLost = (isUndone: boolean): boolean => {
    const is = lost?.isUndone === isUndone
    if (is) lost = undefined
    return is
  }
  const lostCommit = () => new UnknownOutcomeError(new Error('The connection is made to be lost.'))
  const open = await backendOf(target, { durability: 'relaxed' })
  const wait = (chooses: Chooses, fails: boolean, times: number): Promise<void> =>
    new Promise((resolve) => waiting.add({ chooses, fails, left: times, resolve }))
  return {
    backend(context) {
      const backend = open(context)
      const transaction: Backend['transaction'] = async (options, work) => {
        const given = await backend.transaction(options, async (connection) => {
          const value = await work(instead<Connection>(connection, { execute: execute(connection) }))
          if (isLost(true)) throw lostCommit()
          return value
        })
        if (isLost(false)) throw lostCommit()
        return given
      }
      return instead(backend, { execute: execute(backend), executeTogether: executeTogether(backend), transaction })
    },
    fail: (chooses, times = 1) => wait(chooses, true, times),
    seen: (chooses) => wait(chooses, false, 1),
    loseCommit: (isUndone = false) => {
      lost = { isUndone }
    },
    before: (chooses, work) => void delaying.add({ chooses, work }),
  }
}

/** An object that does some things differently. */
function instead<T extends object>(whole: T, differently: Partial<T>): T {
  return new Proxy(whole, {
    get(target, name) {
      if (Object.hasOwn(differently, name)) return differently[name as keyof T]
      const member = Reflect.get(target, name, target) as unknown
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}
