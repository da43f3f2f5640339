import { bulkInsert } from './tasks/bulk-insert.ts'
import { findByIndex } from './tasks/find-by-index.ts'
import { getById } from './tasks/get-by-id.ts'
import { insert } from './tasks/insert.ts'
import type { Task } from './tasks/task.ts'
import { threeWrites } from './tasks/three-writes.ts'
import { updateWithVersion } from './tasks/update-with-version.ts'

/** A task on a database: one row of the table. */
export interface Workload {
  /** What `--only` looks for. */
  readonly name: string
  readonly title: string
  readonly database: 'sqlite' | 'postgres'
  readonly task: Task
  /** How many loops run it side by side in one process, each awaiting its own operation before the next. */
  readonly callers: number
  readonly durability: 'full' | 'relaxed'
  /** What Holdfast must reach, as a ratio to the raw driver. */
  readonly bar: number
}

function sqlite(
  name: string,
  title: string,
  task: Task,
  bar: number,
  rest: { readonly callers?: number; readonly durability?: 'full' } = {},
): Workload {
  return { name: `sqlite-${name}`, title, database: 'sqlite', task, bar, callers: 1, durability: 'relaxed', ...rest }
}

function postgres(name: string, title: string, task: Task, bar: number, callers = 1): Workload {
  return { name: `postgres-${name}`, title, database: 'postgres', task, bar, callers, durability: 'full' }
}

/** Every row of the table, with the bar that Holdfast has set itself. */
export const workloads: readonly Workload[] = [
  sqlite('get-by-id', 'get by id', getById, 0.9),
  sqlite('insert', 'insert, one a commit', insert, 0.9),
  sqlite('insert-64-relaxed', 'insert, 64 callers, `relaxed`', insert, 4, { callers: 64 }),
  sqlite('insert-64-full', 'insert, 64 callers, `full`', insert, 12, { callers: 64, durability: 'full' }),
  sqlite('update', 'update with version check', updateWithVersion, 0.85),
  sqlite('find-50', 'find 50 by index', findByIndex, 0.9),
  sqlite('bulk-10k', 'bulk insert 10k', bulkInsert, 0.9),
  sqlite('transaction-3', 'transaction of 3 writes', threeWrites, 0.8),
  postgres('get-by-id', 'get by id', getById, 0.95),
  postgres('get-by-id-64', 'get by id, 64 callers', getById, 3, 64),
  postgres('insert', 'insert, one a commit', insert, 0.95),
  postgres('insert-64', 'insert, 64 callers', insert, 4, 64),
  postgres('bulk-10k', 'bulk insert 10k', bulkInsert, 0.95),
  postgres('transaction-3', 'transaction of 3 writes', threeWrites, 0.9),
]

/** The peers of each database in the order of the columns; the first is the 1.00. */
export const peers: Readonly<Record<Workload['database'], readonly string[]>> = {
  sqlite: ['raw', 'raw-synchronous', 'node-sqlite', 'kysely', 'drizzle', 'typeorm', 'mikro-orm', 'holdfast'],
  postgres: ['raw', 'kysely', 'drizzle', 'typeorm', 'mikro-orm', 'holdfast'],
}
