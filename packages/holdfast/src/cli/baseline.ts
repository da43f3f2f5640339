import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { MigrationError } from '../base/errors.ts'
import { generateMigration } from '../migrations/index.ts'
import { EXIT } from './exit.ts'
import { timestamp } from './migration-name.ts'
import type { Output } from './output.ts'
import { existingMigrations, loadSchema, type ProjectOptions, withStorage } from './project.ts'

/** The options of `migrate baseline`. */
export interface BaselineOptions extends ProjectOptions {
  readonly to?: string
}

/**
 * Adopts a database that was made before there were migrations: writes the schema where there is none, and the first migration where there is
 * none, and notes the migrations as applied.
 */
export async function baseline(options: BaselineOptions, output: Output): Promise<number> {
  const { wrote, notes } = await writeSchema(options)
  for (const note of notes) output.note(note)
  wrote.push(...(await writeFirst(options)))
  const lines = wrote.map((file) => `wrote ${file}`)
  return withStorage(options, async ({ migrations }) => {
    try {
      const noted = await migrations.baseline(options.to === undefined ? {} : { to: options.to })
      const differences = options.schema === undefined ? [] : (await migrations.verify()).differences
      output.result({ wrote, notes, noted, differences }, [
        ...lines,
        ...noted.map((name) => `noted ${name}`),
        ...differences,
      ])
      return differences.length === 0 ? EXIT.done : EXIT.differs
    } catch (error) {
      if (!(error instanceof MigrationError) || error.code !== 'SCHEMA_MISMATCH') throw error
      output.result({ wrote, notes, noted: [], differences: error.differences }, [...lines, ...error.differences])
      output.note('Nothing is noted yet: change the database or the files until they fit, and run it again.')
      return EXIT.differs
    }
  })
}

/** Writes the schema of the database where there is none; gives the file, and what a schema cannot say. */
async function writeSchema(options: BaselineOptions): Promise<{ wrote: string[]; notes: readonly string[] }> {
  const { schema: path, ...beforeSchema } = options
  if (path === undefined || existsSync(path)) return { wrote: [], notes: [] }
  const { text, notes } = await withStorage(
    beforeSchema,
    ({ migrations }) => migrations.introspect(),
    existingMigrations,
  )
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text, { flag: 'wx' })
  return { wrote: [path], notes }
}

/** Writes the first migration where there is none; gives its file. */
async function writeFirst(options: BaselineOptions): Promise<string[]> {
  const { dir } = options
  if ((await existingMigrations(dir)).length > 0) return []
  const name = `${timestamp(new Date())}_baseline`
  const first = generateMigration(name, [], await loadSchema(options))
  if (first === null) return []
  await mkdir(dir, { recursive: true })
  const path = join(dir, `${name}.ts`)
  await writeFile(path, first.text, { flag: 'wx' })
  return [path]
}
