/**
 * For tests: storages in memory, query budgets, a clock to move, and the conformance suite for backends of your own.
 *
 * @module
 */
export { type TestClock, testClock } from './clock.ts'
export * from './conformance/index.ts'
export { expectStatements, type QueryBudget } from './query-budget.ts'
export { createTestStorage } from './test-storage.ts'
