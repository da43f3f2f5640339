export type { Change } from './feed.ts'
export type { LiveQueryOptions } from './live-query.ts'
export { LiveRepository } from './live-repository.ts'
export { Watching, type WatchOptions } from './watching.ts'
