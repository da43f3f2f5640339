import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { MigrationError } from '../base/errors.ts'
import { generateMigration } from '../migrations/index.ts'
import { EXIT } from './exit.ts'
import { timestamp } from './generate.ts'
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
  const wrote: string[] = []
  const { schema: path, dir } = options
  const notes: string[] = []
  if (path !== undefined && !existsSync(path)) {
    const { text, notes: found } = await withStorage(
      withoutSchema(options),
      ({ migrations }) => migrations.introspect(),
      existingMigrations,
    )
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text, { flag: 'wx' })
    wrote.push(path)
    notes.push(...found)
  }
  for (const note of notes) output.note(note)
  if ((await existingMigrations(dir)).length === 0) {
    const name = `${timestamp(new Date())}_baseline`
    const first = generateMigration(name, [], await loadSchema(options))
    if (first !== null) {
      await mkdir(dir, { recursive: true })
      await writeFile(join(dir, `${name}.ts`), first.text, { flag: 'wx' })
      wrote.push(join(dir, `${name}.ts`))
    }
  }
  const lines = wrote.map((file) => `wrote ${file}`)
  return withStorage(options, async ({ migrations }) => {
    try {
      const noted = await migrations.baseline(options.to === undefined ? {} : { to: options.to })
      const differences = path === undefined ? [] : (await migrations.verify()).differences
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

/** The project before there is a schema. */
function withoutSchema({ schema, ...options }: BaselineOptions): ProjectOptions {
  return options
}
