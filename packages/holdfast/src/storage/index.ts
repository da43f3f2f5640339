export type { BatchOperation, BatchResults, OnlyOperations } from './batch.ts'
export type { Environment } from './env.ts'
export type { StorageMetrics } from './metrics.ts'
export { type CopyOptions, onCopy } from './on-copy.ts'
export type { StatementListener } from './root-session.ts'
export type { SqlTables, SqlValue } from './sql.ts'
export {
  type Health,
  type NoSchema,
  openStorage,
  openStorageFromEnv,
  openUnfitted,
  type QueueHandlers,
  Storage,
} from './storage.ts'
export type { StorageOptions } from './storage-options.ts'
export type * from './stores.ts'
export { backendOf, type TargetOptions } from './targets.ts'
