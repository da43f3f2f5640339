import type { BackendFactory } from '../../backend/index.ts'
import { PostgresBackend } from './backend.ts'
import { type PostgresOptions, settingsOf } from './options.ts'

export type { PostgresOptions } from './options.ts'

/**
 * A backend on a Postgres server, 14 or newer, through the package `pg`.
 *
 * @throws ConfigurationError for options that contradict each other.
 *
 * @example
 * ```ts
 * const storage = await openStorage(postgres({ url: 'postgres://me@localhost/app', max: 20 }), { schema })
 * ```
 */
export function postgres(options: PostgresOptions = {}): BackendFactory {
  const settings = settingsOf(options)
  return ({ models }) => new PostgresBackend(models, settings)
}
