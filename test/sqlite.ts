import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend } from '../packages/holdfast/src/backend/index.ts'
import { type SqliteOptions, sqlite } from '../packages/holdfast/src/backends/sqlite/index.ts'
import type { Schema } from '../packages/holdfast/src/schema/index.ts'
import { Statements } from './statements.ts'

/** Both ways to SQLite: what holds with one must hold with the other. */
export const sqliteDrivers: readonly NonNullable<SqliteOptions['driver']>[] = ['better-sqlite3', 'node:sqlite']

/** SQLite files of one test, in a folder of their own. */
export class SqliteFiles {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'holdfast-sqlite-'))
  readonly #opened: Backend[] = []

  /** The path of a file in the folder. */
  path(name = 'test.db'): string {
    return join(this.folder, name)
  }

  /** Opens a backend on a file; `test.db` unless another is named. Writes are not forced to the disk. */
  async open(schema: Schema, options: Partial<SqliteOptions> = {}): Promise<Backend> {
    const backend = sqlite({ path: this.path(), durability: 'relaxed', ...options })({ models: schema.models })
    await backend.open()
    this.#opened.push(backend)
    return backend
  }

  /** The same, with the tables created, ready for statements. */
  async statements(schema: Schema, options: Partial<SqliteOptions> = {}): Promise<Statements> {
    const statements = new Statements(await this.open(schema, options), schema)
    await statements.create()
    return statements
  }

  /** Closes what was opened and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const backend of this.#opened) await backend.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
