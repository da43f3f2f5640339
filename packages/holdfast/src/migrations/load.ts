import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MigrationError } from '../base/errors.ts'
import type { Migration } from './migration.ts'

const MIGRATION_FILE = /^(?!.*\.(d|test|spec)\.)[^.].*\.[cm]?[jt]s$/

/**
 * The migrations of a folder, in the order of their file names: each file has one as its default export.
 *
 * @throws MigrationError for a folder that is not there, a file that exports none, or one whose name is not that of its migration.
 *
 * @example
 * ```ts
 * const storage = await openStorage(url, { schema, migrations: await loadMigrations('./migrations') })
 * ```
 */
export async function loadMigrations(folder: string): Promise<Migration[]> {
  const names = await filesOf(folder)
  const migrations: Migration[] = []
  for (const name of names) {
    const path = join(resolve(folder), name)
    const migration = ((await import(pathToFileURL(path).href)) as { default?: Migration }).default
    if (typeof migration?.up !== 'function') {
      throw new MigrationError(`The file ${name} exports no migration.`, { hint: 'Export one as its default.' })
    }
    const expected = name.replace(/\.[cm]?[jt]s$/, '')
    if (migration.name !== expected) {
      throw new MigrationError(`The migration in ${name} is called ${migration.name}.`, {
        hint: `Call it ${expected}, as its file: the order of migrations is that of their names.`,
      })
    }
    migrations.push(migration)
  }
  return migrations
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => MIGRATION_FILE.test(name)).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new MigrationError(`There is no folder ${folder}.`, {
      hint: 'Name the folder of the migrations with --dir, or write the first one: npx holdfast migrate generate create --schema ./schema.ts.',
      cause: error,
    })
  }
}
