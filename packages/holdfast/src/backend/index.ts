export { type CommittedWrites, Dispatcher, mayBeCommitted } from './dispatcher.ts'
export { Plans } from './plans.ts'
export * from './port.ts'
export type { CommitListener, RetryingTransactionOptions, Session } from './session.ts'
