import { expect } from 'vitest'

/** Steps to be done in one transaction. */
export interface Transaction<Step> {
  readonly steps: readonly Step[]
  /** Whether it is to commit, rather than to be given up. */
  readonly commits: boolean
  /** Whether it goes on where a step has failed it. */
  readonly swallows: boolean
}

/** Where transactions are begun: a storage, or another transaction. */
interface Outer<Tx> {
  transaction(work: (tx: Tx) => Promise<void>): Promise<unknown>
}

/** How steps are done in a transaction. */
interface Doing<Tx, Step> {
  /** Does a step; gives the error that fails the transaction by it, if there is one. */
  readonly step: (step: Step, tx: Tx) => Promise<Error | undefined>
  /** Asks something of a transaction, which one that has failed refuses. */
  readonly ask: (tx: Tx) => Promise<unknown>
}

/** Does steps in a transaction, and looks that it ends as it must; gives whether it has committed. */
export async function transact<Tx, Step>(
  on: Outer<Tx>,
  { steps, commits, swallows }: Transaction<Step>,
  { step, ask }: Doing<Tx, Step>,
): Promise<boolean> {
  const undone = new Error('undone')
  let failure: Error | undefined
  let times = 0
  const work = async (tx: Tx): Promise<void> => {
    expect(++times, 'how often a transaction is tried that is alone').toBe(1)
    for (const one of steps) {
      failure = await step(one, tx)
      if (failure !== undefined) break
    }
    if (failure !== undefined && !swallows) throw failure
    if (failure !== undefined) await expect(ask(tx)).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
    if (!commits) throw undone
  }
  const isMeant = (error: unknown) => {
    if (failure !== undefined && !swallows) return error === failure
    if (!commits) return error === undone
    return failure !== undefined && (error as { code?: string }).code === 'TRANSACTION_FAILED'
  }
  try {
    await on.transaction(work)
    expect(commits && failure === undefined, 'whether the transaction commits').toBe(true)
    return true
  } catch (error) {
    if (!isMeant(error)) throw error
    return false
  }
}
