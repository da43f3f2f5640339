export * from './expressions.ts'
export { QueryBuilder } from './query-builder.ts'
export { Repository } from './repository.ts'
export type * from './types.ts'
