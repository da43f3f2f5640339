export { acceptorOf } from './accept.ts'
export { type CachedReads, checkCachedReads } from './cached-reads.ts'
export {
  Column,
  type ColumnType,
  type ColumnTypes,
  type ReferenceAction,
  t,
  withPlainCheck,
} from './column.ts'
export * from './declare.ts'
export * from './declare-graph.ts'
export { describe } from './describe.ts'
export type { Comparison, FieldFilter, PathComparison, PathFilter, PathValue, ReachFilter, Where } from './filter.ts'
export { acceptJson, cloneJson, isStorableText, readPath, UNSTORABLE_TEXT } from './json.ts'
export * from './model.ts'
export { distinctName } from './names.ts'
export {
  assertConfiguration,
  assertOptions,
  checkKnown,
  checkMs,
  checkName,
  checkOptions,
  checkSignal,
  checkWhole,
  type OptionRule,
  optionRules,
} from './options.ts'
export {
  type Backoff,
  checkBackoff,
  type KeepFinished,
  type QueueDeclaration,
  type QueueOptions,
  queue,
} from './queue.ts'
export { resolveModel, resolveModels, resolveOwnModel } from './resolve.ts'
export * from './schema.ts'
export { validateStandard } from './standard-schema.ts'
export { type Given, unreadable } from './unreadable.ts'
