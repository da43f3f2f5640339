export { Dispatcher } from './dispatcher.ts'
export { Plans } from './plans.ts'
export * from './port.ts'
export type { RetryingTransactionOptions, Session } from './session.ts'
