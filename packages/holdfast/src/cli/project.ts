import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigurationError, MigrationError } from '../base/errors.ts'
import { loadMigrations, type Migration } from '../migrations/index.ts'
import { defineSchema, type Schema } from '../schema/index.ts'
import { type CopyOptions, onCopy, openUnfitted, type Storage } from '../storage/index.ts'

/** The options that every command of `migrate` takes. */
export interface ProjectOptions {
  readonly storage?: string
  readonly schema?: string
  readonly dir: string
  readonly json?: boolean
}

/** The schema that a module exports, as `schema` or as its default. */
export async function loadSchema({ schema: path }: ProjectOptions): Promise<Schema> {
  if (path === undefined) {
    throw new ConfigurationError('This command compares with the schema, and none is given.', {
      hint: 'Name the module that exports it: --schema ./src/schema.ts.',
    })
  }
  const module = (await import(pathToFileURL(resolve(path)).href)) as { schema?: Schema; default?: Schema }
  const schema = module.schema ?? module.default
  if (schema?.models instanceof Map) return schema
  throw new ConfigurationError(`The module ${path} exports no schema.`, {
    hint: 'Export what defineSchema() gives, as `schema` or as the default.',
  })
}

/** Opens the database whatever state it is in, with the migrations of the folder, for as long as `work` takes. */
export async function withStorage<T>(
  options: ProjectOptions,
  work: (storage: Storage<Schema>, migrations: readonly Migration[]) => Promise<T>,
  load: (folder: string) => Promise<Migration[]> = loadMigrations,
): Promise<T> {
  const target = targetOf(options)
  const migrations = await load(options.dir)
  const schema = await schemaOf(options)
  const storage = await openUnfitted(target, { schema, migrations, autoCreate: false })
  try {
    return await work(storage, migrations)
  } finally {
    await storage.close()
  }
}

/** Opens a copy of the database, with the migrations of the folder, for as long as `work` takes. */
export async function withCopy<T>(
  options: ProjectOptions,
  copying: CopyOptions,
  work: (storage: Storage<Schema>) => Promise<T>,
): Promise<T> {
  const migrations = await loadMigrations(options.dir)
  const schema = await schemaOf(options)
  return onCopy(targetOf(options), { schema, migrations, autoCreate: false }, copying, work)
}

function targetOf({ storage }: ProjectOptions): string {
  const target = storage ?? process.env['STORAGE_URL']
  if (target !== undefined) return target
  throw new ConfigurationError('No database is given.', {
    hint: 'Name it: --storage sqlite:./app.db, or in the variable STORAGE_URL.',
  })
}

async function schemaOf(options: ProjectOptions): Promise<Schema> {
  return options.schema === undefined ? defineSchema({}) : loadSchema(options)
}

/** The migrations of a folder that may not be there yet. */
export async function existingMigrations(folder: string): Promise<Migration[]> {
  try {
    return await loadMigrations(folder)
  } catch (error) {
    if (error instanceof MigrationError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
      return []
    throw error
  }
}
