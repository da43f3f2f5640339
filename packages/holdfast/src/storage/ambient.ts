import { AsyncLocalStorage } from 'node:async_hooks'
import { ConfigurationError } from '../base/errors.ts'

/** What runs here: the innermost transaction, where there is one. It may be opened after the scope was entered. */
export interface AmbientScope {
  transaction?: { readonly root: object; readonly active: boolean } | undefined
}

const ambient = new AsyncLocalStorage<AmbientScope>()

/** Runs `work` in a scope, so that calls on the storage itself made inside can be told. */
export function runInScope<T>(scope: AmbientScope, work: () => T): T {
  return ambient.run(scope, work)
}

/**
 * Refuses a call on `storage` made inside a transaction of that storage: on a backend with one writer it would wait for the
 * transaction that waits for it, on others it would silently not be part of it.
 *
 * @throws ConfigurationError, code `TRANSACTION_MISUSE`.
 */
export function assertOutsideTransaction(root: object): void {
  const transaction = ambient.getStore()?.transaction
  if (transaction === undefined || transaction.root !== root || !transaction.active) return
  throw new ConfigurationError('`storage` was used inside a transaction of the same storage.', {
    code: 'TRANSACTION_MISUSE',
    hint: 'Use the `tx` that the transaction was given: tx.repository(…), tx.queue(…), tx.transaction(…).',
  })
}
