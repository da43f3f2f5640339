import { ConfigurationError } from '../../base/errors.ts'
import { assertConfiguration, optionRules } from '../../schema/index.ts'
import type { DriverName } from './driver.ts'

/** How a SQLite database is opened. */
export interface SqliteOptions {
  /** The file, made if it is not there; or `:memory:`, which is gone after `close`. */
  readonly path: string
  /**
   * `full` (the default): what was acknowledged survives a power cut. `relaxed`: it survives a crash of the process; a power
   * cut may take the last moments.
   */
  readonly durability?: 'full' | 'relaxed'
  /** How long a call waits while another process has the file locked, in milliseconds; 5,000 unless given. */
  readonly busyTimeoutMs?: number
  /** Refuses writes. The file must be there. */
  readonly readOnly?: boolean
  /** The driver; better-sqlite3 where it is installed, and node:sqlite elsewhere, unless given. */
  readonly driver?: DriverName
}

/** @throws ConfigurationError naming every option that is unknown or has an invalid value. */
export function assertSqliteOptions(options: SqliteOptions): void {
  const path = {
    holds: (value: unknown) => typeof value === 'string' && value !== '' && !value.includes('\0'),
    be: "the path of a file, or ':memory:'",
  }
  assertConfiguration<SqliteOptions>('The options of SQLite were refused', options, {
    path,
    durability: optionRules.oneOf(['full', 'relaxed']),
    busyTimeoutMs: optionRules.atLeast(0),
    readOnly: optionRules.flag,
    driver: optionRules.oneOf(['better-sqlite3', 'node:sqlite']),
  })
  if (options.path === undefined)
    throw new ConfigurationError('The options of SQLite name no file.', { hint: "Give a path, such as './app.db'." })
}
