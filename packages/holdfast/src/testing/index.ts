/**
 * For tests: storages in memory, query budgets, what jobs were enqueued, a clock to move, and the conformance suite for backends of your own.
 *
 * @module
 */
export { type TestClock, testClock } from './clock.ts'
export * from './conformance/index.ts'
export { type Expected, type ExpectedJob, expectEnqueued, expectNotEnqueued, runJob } from './jobs.ts'
export { expectStatements, type QueryBudget } from './query-budget.ts'
export { createTestStorage } from './test-storage.ts'
