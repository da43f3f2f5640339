import { ConstraintError } from '../../base/errors.ts'
import type { Compiled } from '../sql/index.ts'
import type { Database, PreparedStatement } from './driver.ts'

interface ConnectionOptions {
  readonly writes?: boolean
  readonly syncs?: boolean
}

/** An open connection and the statements prepared on it: each is prepared once. */
export class SqliteConnection {
  readonly database: Database
  readonly #statements = new WeakMap<Compiled, PreparedStatement>()
  readonly #begin: PreparedStatement
  readonly #commit: PreparedStatement
  readonly #rollback: PreparedStatement
  readonly #dataVersion: PreparedStatement
  readonly #clock: PreparedStatement
  readonly #temporary: PreparedStatement
  readonly #syncs: boolean
  #undoesInMemory = false

  /** @param options `syncs`: each commit waits for the disk. */
  constructor(database: Database, { writes = true, syncs = false }: ConnectionOptions = {}) {
    this.database = database
    this.#syncs = syncs
    this.#begin = database.prepareWrite(writes ? 'begin immediate' : 'begin')
    this.#commit = database.prepareWrite('commit')
    this.#rollback = database.prepareWrite('rollback')
    this.#dataVersion = database.prepareRead('pragma data_version')
    this.#temporary = database.prepareRead('select 1 from sqlite_temp_schema')
    this.#clock = database.prepareRead("select cast(round(unixepoch('subsec') * 1000) as integer)")
  }

  /** The prepared statement of a compiled one. */
  statement(compiled: Compiled): PreparedStatement {
    return this.#statements.get(compiled) ?? this.#prepare(compiled)
  }

  #prepare(compiled: Compiled): PreparedStatement {
    const { text, givesRows } = compiled
    const statement = givesRows ? this.database.prepareRead(text) : this.database.prepareWrite(text)
    this.#statements.set(compiled, statement)
    return statement
  }

  /** A number that changes with every commit of another connection to the file. */
  get dataVersion(): number {
    const [version] = this.#dataVersion.get() as [number]
    return version
  }

  /** The time by the database's clock, in milliseconds. */
  get nowMs(): number {
    const [now] = this.#clock.get() as [number]
    return now
  }

  /** Begins a transaction: one that writes has the write lock of the file from its start. */
  begin(): void {
    this.#undoesInMemory = false
    this.#begin.run()
  }

  /**
   * Begins a transaction of many statements that each change little. What SQLite needs to undo one of them alone then stays in memory; else,
   * beyond 64 KB, it goes into a file, for each statement anew. Only from the beginning of a transaction on can it be had so.
   */
  beginSmallStatements(): void {
    // Its temporary tables, which somebody may have made with SQL, would not survive this.
    if (this.#temporary.get() !== undefined) {
      this.begin()
      return
    }
    this.database.exec('pragma temp_store = memory')
    try {
      this.begin()
      this.#undoesInMemory = true
    } finally {
      this.database.exec('pragma temp_store = default')
    }
  }

  /** Whether the transaction that runs was begun for small statements. */
  get undoesInMemory(): boolean {
    return this.#undoesInMemory
  }

  commit(): void {
    this.#commit.run()
  }

  /** Runs a write that commits by itself, and does not wait for the disk. */
  unsynced<T>(write: () => T): T {
    if (!this.#syncs) return write()
    this.database.exec('pragma synchronous = normal')
    try {
      return write()
    } finally {
      this.database.exec('pragma synchronous = full')
    }
  }

  /** Whether foreign keys are looked at and followed. It changes nothing inside a transaction. */
  guardReferences(on: boolean): void {
    this.database.exec(`pragma foreign_keys = ${on ? 'on' : 'off'}`)
  }

  /** @throws ConstraintError where a row refers to none. */
  assertReferences(): void {
    const [broken] = this.database.prepareRead('pragma foreign_key_check').all() as [string, number, string, number][]
    if (broken === undefined) return
    const [table, , , key] = broken
    const columns = this.database
      .prepareRead('select "from" from pragma_foreign_key_list(?) where id = ?')
      .all(table, key)
    throw new ConstraintError('CONSTRAINT_FOREIGN_KEY', table, (columns as [string][]).flat())
  }

  /** Closes it, after writing the log back into the file if nobody else is reading: whoever copies the file then has all of it. */
  close(): void {
    try {
      this.database.exec('pragma wal_checkpoint(truncate)')
    } catch {
      // On a full disk, say. Nothing is lost: the log stays beside the file, and whoever opens it next reads it.
    } finally {
      this.database.close()
    }
  }

  /** Rolls back, unless SQLite has done so by itself, as it does on a full disk. */
  rollback(): void {
    if (this.database.inTransaction) this.#rollback.run()
  }
}
