import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { ConfigurationError } from '../base/errors.ts'
import { checkMigrations, loadMigrations, squashMigrations } from '../migrations/index.ts'
import { type BaselineOptions, baseline } from './baseline.ts'
import { EXIT } from './exit.ts'
import type { Output } from './output.ts'
import { type ProjectOptions, withStorage } from './project.ts'
import type { RunCommand } from './run-command.ts'

/** The commands that keep migrations in order: `check`, `rehearse`, `baseline`, `squash`. */
export function addUpkeep(command: (name: string, description: string) => Command, run: RunCommand): void {
  command('check', `see that migrations are fit to be merged; end with ${EXIT.differs} where they are not`)
    .option('--with <folder>', 'the migrations of the other branch')
    .action((options: ProjectOptions & { with?: string }) =>
      run(options.json === true, async (output) => {
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
    .requiredOption('--on <url>', 'the copy, or an empty database; it is left migrated')
    .action((options: ProjectOptions & { on: string }) =>
      run(options.json === true, (output) => rehearse(options, output)),
    )

  command('baseline', `adopt a database that is there; end with ${EXIT.differs} where it does not fit`)
    .option('--to <name>', 'the last migration to note as applied')
    .addHelpText('after', '\nWrites the schema to --schema and the first migration to --dir, where there are none.')
    .action((options: BaselineOptions) => run(options.json === true, (output) => baseline(options, output)))

  command('squash', 'put all migrations into one')
    .argument('<name>', 'what it is called')
    .action((name: string, options: ProjectOptions) =>
      run(options.json === true, (output) => squash(name, options, output)),
    )
}

async function rehearse(options: ProjectOptions & { on: string }, output: Output): Promise<number> {
  if (options.on === (options.storage ?? process.env['STORAGE_URL'])) {
    throw new ConfigurationError('A rehearsal is not for the real database.', { hint: 'Name a copy of it with --on.' })
  }
  return withStorage({ ...options, storage: options.on }, async ({ migrations }) => {
    const rehearsal = await migrations.rehearse()
    const count = (rows: number | null): string => (rows === null ? '-' : String(rows))
    output.result(rehearsal, [
      ...rehearsal.tables.map(({ table, before, after }) => `${table}: ${count(before)} rows, then ${count(after)}`),
      ...rehearsal.differences,
      rehearsal.ok ? output.colours.good('Nothing is lost.') : output.colours.bad('Something is lost.'),
    ])
    return rehearsal.ok ? EXIT.done : EXIT.differs
  })
}

/** The new file takes the place of the old ones, which are deleted: they are in version control. */
async function squash(name: string, { dir }: ProjectOptions, output: Output): Promise<number> {
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
