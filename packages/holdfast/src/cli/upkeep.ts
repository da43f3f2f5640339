import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigurationError } from '../base/errors.ts'
import { type CopyProgress, checkMigrations, loadMigrations, squashMigrations } from '../migrations/index.ts'
import type { Schema } from '../schema/index.ts'
import type { Storage } from '../storage/index.ts'
import { type BaselineOptions, baseline } from './baseline.ts'
import { EXIT } from './exit.ts'
import { checkMigrationName } from './migration-name.ts'
import type { Output } from './output.ts'
import { type ProjectOptions, withCopy, withStorage } from './project.ts'
import { readCount } from './read-count.ts'
import type { AddCommand, RunCommand } from './run-command.ts'

/** The commands that keep migrations in order: `check`, `rehearse`, `baseline`, `squash`. */
export function addUpkeep(command: AddCommand, run: RunCommand): void {
  command('check', `see that migrations are fit to be merged; end with ${EXIT.differs} where they are not`)
    .option('--with <folder>', 'the migrations of the other branch')
    .action((options: ProjectOptions & { with?: string }) =>
      run(options, async (output) => {
        const others = options.with === undefined ? [] : await loadMigrations(options.with)
        const problems = checkMigrations(await loadMigrations(options.dir), others)
        output.result(
          { problems },
          problems.length === 0 ? [output.colours.good('They are fit to be merged.')] : problems,
        )
        return problems.length === 0 ? EXIT.done : EXIT.differs
      }),
    )

  command('rehearse', `apply, undo and apply on a copy; end with ${EXIT.differs} where something is lost`)
    .option(
      '--on <url>',
      'a copy that you made, or an empty database; it is left migrated. Made and taken away again unless given',
    )
    .option('--max-rows <n>', 'the most rows to copy where the database cannot copy itself', readCount, MAX_ROWS)
    .action((options: RehearseOptions) => run(options, (output) => rehearse(options, output)))

  command('baseline', `adopt a database that is there; end with ${EXIT.differs} where it does not fit`)
    .option('--to <name>', 'the last migration to note as applied')
    .addHelpText('after', '\nWrites the schema to --schema and the first migration to --dir, where there are none.')
    .action((options: BaselineOptions) => run(options, (output) => baseline(options, output)))

  command('squash', 'put all migrations into one')
    .argument('<name>', 'what it is called')
    .action((name: string, options: ProjectOptions) => run(options, (output) => squash(name, options, output)))
}

interface RehearseOptions extends ProjectOptions {
  readonly on?: string
  readonly maxRows: number
}

/** How many rows are copied one by one, unless `--max-rows` says otherwise. */
const MAX_ROWS = 10_000_000

async function rehearse(options: RehearseOptions, output: Output): Promise<number> {
  const { on } = options
  if (on !== undefined && on === (options.storage ?? process.env['STORAGE_URL'])) {
    throw new ConfigurationError('A rehearsal is not for the real database.', {
      hint: 'Name a copy of it with --on, or leave it out and one is made.',
    })
  }
  const work = async ({ migrations }: Storage<Schema>): Promise<number> => {
    const { differences, ...rehearsal } = await migrations.rehearse()
    const after = options.schema === undefined ? [] : (await migrations.verify()).differences
    const all = [...differences, ...after]
    const count = (rows: number | null): string => (rows === null ? '-' : String(rows))
    output.result({ ...rehearsal, ok: all.length === 0, differences: all }, [
      ...(rehearsal.migrations.length === 0 ? ['Nothing is pending.'] : []),
      ...rehearsal.tables.map(({ table, before, after }) => `${table}: ${count(before)} rows, then ${count(after)}`),
      ...all,
      all.length === 0 ? output.colours.good('Nothing is lost.') : output.colours.bad('Not all is as it should be.'),
    ])
    return all.length === 0 ? EXIT.done : EXIT.differs
  }
  if (on !== undefined) return withStorage({ ...options, storage: on }, work)
  const copying = {
    most: options.maxRows,
    onProgress: (step: CopyProgress) => output.progress({ ...step, what: `copying ${step.table}` }),
  }
  return withCopy(options, copying, work)
}

/** The new file takes the place of the old ones, which are deleted: they are in version control. */
async function squash(name: string, { dir }: ProjectOptions, output: Output): Promise<number> {
  checkMigrationName(name)
  const migrations = await loadMigrations(dir)
  const last = migrations.at(-1)
  if (last === undefined)
    throw new ConfigurationError('There are no migrations.', { hint: 'Name their folder with --dir.' })
  const full = `${/^\d*/.exec(last.name)?.[0] ?? ''}_${name}`
  const { text, replaces, left } = squashMigrations(full, migrations)
  const path = join(dir, `${full}.ts`)
  await writeFile(path, text, { flag: 'wx' })
  for (const replaced of replaces) {
    for (const ending of ['ts', 'js', 'mts', 'mjs', 'cts', 'cjs'])
      await rm(join(dir, `${replaced}.${ending}`), { force: true })
  }
  for (const one of left)
    output.note(`${one} has steps of SQL or data, which are not part of it: add what an empty database needs.`)
  output.result({ path, replaces, left }, [path])
  return EXIT.done
}
