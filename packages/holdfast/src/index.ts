/**
 * Holdfast: data, jobs and caches in one database and one transaction, the same in memory, SQLite and Postgres.
 *
 * This door holds everything an application uses. Backends have doors of their own (`holdfast/sqlite`, `holdfast/postgres`) for
 * options that a target cannot carry, and tests have `holdfast/testing`.
 *
 * @module
 */
export {
  Audit,
  type AuditAnchor,
  type AuditEntry,
  type AuditExport,
  AuditLog,
  type AuditProblem,
  type AuditRecord,
  type AuditReport,
} from './audit/index.ts'
export type { BackendFactory } from './backend/index.ts'
export { type Clock, systemClock } from './base/clock.ts'
export * from './base/errors.ts'
export type {
  Cache,
  CacheAccess,
  CacheItem,
  CacheKey,
  CacheLevel,
  CacheOptions,
  CacheStats,
  EntryOptions,
  KeyvStore,
  LoadOptions,
} from './cache/index.ts'
export { Listing } from './cache/index.ts'
export {
  type Change,
  type LiveQueryOptions,
  LiveRepository,
  Watching,
  type WatchOptions,
} from './changes/index.ts'
export type {
  EdgeDirection,
  FollowOptions,
  GraphEdge,
  GraphNode,
  GraphologySource,
  GraphologyTarget,
  Imported,
  JsonSource,
  NeighborsOptions,
  NewEdge,
  PathOptions,
  TraverseOptions,
  UntypedGraph,
} from './graph/index.ts'
export { Graph } from './graph/index.ts'
export { AsOf, type PastQuery, type Version } from './history/index.ts'
export {
  type ApplyOptions,
  type ConcurrencyOptions,
  type DataStep,
  type DialectSql,
  type Introspection,
  loadMigrations,
  type Migration,
  type MigrationPlan,
  type MigrationProgress,
  type MigrationRun,
  type MigrationStatus,
  MigrationSteps,
  Migrations,
  type Rehearsal,
  type RollbackOptions,
  type RowChange,
  type StepReference,
  type Verification,
  type Warning,
} from './migrations/index.ts'
export type {
  CancelFilter,
  CatchUp,
  EnqueueOptions,
  Handled,
  HandledMany,
  HandledOne,
  Handler,
  HandlerContext,
  Job,
  JobError,
  JobOrId,
  JobPage,
  JobPageOptions,
  JobSettings,
  JobState,
  ListOptions,
  ManyContext,
  ManyHandler,
  ManyMiddleware,
  Middleware,
  PurgeOptions,
  QueueStats,
  RescheduleOptions,
  RetryFilter,
  Schedule,
  ScheduleOptions,
  StopOptions,
  WaitOptions,
  WorkerEvents,
  WorkManyOptions,
  WorkOptions,
} from './queue/index.ts'
export { Discard, discard, Queue, RetryIn, retryIn, Snooze, snooze, Worker, Workers } from './queue/index.ts'
export type { Include, OrderBy, Page, PageQuery, Patch, Query, ReadOptions } from './repository/index.ts'
export {
  avg,
  count,
  countDistinct,
  dateTrunc,
  increment,
  max,
  min,
  QueryBuilder,
  Repository,
  sum,
} from './repository/index.ts'
export type {
  Backoff,
  CachedReads,
  Column,
  ColumnTypes,
  Comparison,
  Documents,
  FieldFilter,
  GraphDeclaration,
  GraphName,
  GraphTypes,
  Insert,
  KeepFinished,
  Key,
  ModelName,
  PathFilter,
  QueueName,
  QueueOptions,
  ReachFilter,
  RelationDeclaration,
  Row,
  Schema,
  Table,
  Where,
} from './schema/index.ts'
export { defineSchema, documents, graph, queue, t, table } from './schema/index.ts'
export type {
  BatchOperation,
  Environment,
  GraphTypesOf,
  Health,
  NoSchema,
  QueueHandlers,
  RepositoryOf,
  SqlTables,
  SqlValue,
  StatementListener,
  StorageMetrics,
  StorageOptions,
  TargetOptions,
  Transaction,
  TransactionOptions,
} from './storage/index.ts'
export { openStorage, openStorageFromEnv, Storage } from './storage/index.ts'
