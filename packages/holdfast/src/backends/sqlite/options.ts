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
