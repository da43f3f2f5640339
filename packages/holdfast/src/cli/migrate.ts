import { Command } from 'commander'
import { type MigrationPlan, type MigrationRun, type MigrationStatus, planFor } from '../migrations/index.ts'
import { backendOf } from '../storage/index.ts'
import { EXIT } from './exit.ts'
import { type GenerateOptions, generate } from './generate.ts'
import type { Output, Streams } from './output.ts'
import { progressOn, type ShowProgress } from './progress.ts'
import { loadSchema, type ProjectOptions, withStorage } from './project.ts'
import { readCount } from './read-count.ts'
import type { RunCommand } from './run-command.ts'
import { addUpkeep } from './upkeep.ts'

/** The commands of `holdfast migrate`. */
export function migrateCommand(run: RunCommand, streams: Streams): Command {
  const migrate = new Command('migrate').description('take a database from one schema to the next, and back')
  const command = (name: string, description: string): Command =>
    migrate
      .command(name)
      .description(description)
      .option('--storage <url>', 'the database; the variable STORAGE_URL unless given')
      .option('--schema <path>', 'the module that exports the schema')
      .option('--dir <folder>', 'the folder of the migrations', 'migrations')
      .option('--json', 'print one JSON document')

  command('generate', 'write the migration that leads to the schema in the code')
    .argument('<name>', 'what it does, in a word or two')
    .option('--rename <old:new...>', 'what is called otherwise: users:people, people.name:fullName', [])
    .option('--empty', 'write one without steps')
    .action((name: string, options: GenerateOptions) =>
      run(options.json === true, async (output) => {
        const path = await generate(name, options, output, streams)
        output.result({ path }, [path === null ? 'The schema has not changed.' : path])
        return EXIT.done
      }),
    )

  command('up', 'apply what is pending')
    .option('--to <name>', 'the last one to apply')
    .option('--allow-destructive', 'also what drops tables or columns, or replaces values')
    .action((options: ProjectOptions & { to?: string; allowDestructive?: boolean }) =>
      run(options.json === true, (output) => up(options, output, progressOn(streams, options.json === true))),
    )

  command('down', 'undo the last migration')
    .option('--steps <n>', 'how many', readCount)
    .option('--to <name>', 'the one that is then the last')
    .option('--all', 'all of them')
    .action((options: ProjectOptions & { steps?: number; to?: string; all?: boolean }) =>
      run(options.json === true, (output) =>
        withStorage(options, async ({ migrations }) => {
          const { steps, to, all } = options
          const target =
            all === true ? { to: null } : { ...(steps !== undefined && { steps }), ...(to !== undefined && { to }) }
          const runs = await migrations.rollback(target)
          output.result({ rolledBack: runs }, linesOfRuns(runs, 'rolled back', output))
          return EXIT.done
        }),
      ),
    )

  command('status', 'how every migration stands')
    .option('--check', `end with ${EXIT.differs} unless all are applied`)
    .action((options: ProjectOptions & { check?: boolean }) =>
      run(options.json === true, (output) =>
        withStorage(options, async ({ migrations }) => {
          const status = await migrations.status()
          output.result(
            status,
            status.length === 0 ? ['There are no migrations.'] : status.map((one) => lineOf(one, output)),
          )
          return options.check === true && status.some(({ state }) => state !== 'applied') ? EXIT.differs : EXIT.done
        }),
      ),
    )

  command('plan', 'print the SQL that `up` would run, and what to know before')
    .option('--to <name>', 'the last one to apply')
    .option('--dialect <name>', 'sqlite or postgres; both unless given')
    .action((options: ProjectOptions & { to?: string; dialect?: string }) =>
      run(options.json === true, (output) => plan(options, output)),
    )

  command('verify', `compare the database with the schema; end with ${EXIT.differs} where they differ`).action(
    (options: ProjectOptions) =>
      run(options.json === true, async (output) => {
        await loadSchema(options)
        return withStorage(options, async ({ migrations }) => {
          const found = await migrations.verify()
          output.result(found, found.ok ? [output.colours.good('The database fits the schema.')] : found.differences)
          return found.ok ? EXIT.done : EXIT.differs
        })
      }),
  )

  command('finalize', 'drop for good what migrations dropped')
    .option('--allow-destructive', 'yes, drop it')
    .action((options: ProjectOptions & { allowDestructive?: boolean }) =>
      run(options.json === true, (output) =>
        withStorage(options, async ({ migrations }) => {
          if (options.allowDestructive !== true) return refuse(output, ['Nothing gives back what finalize drops.'])
          const names = await migrations.finalize()
          output.result({ finalized: names }, [`finalized ${names.length} migrations`])
          return EXIT.done
        }),
      ),
    )

  addUpkeep(command, run, streams)
  return migrate
}

function up(
  options: ProjectOptions & { to?: string; allowDestructive?: boolean },
  output: Output,
  onProgress: ShowProgress,
): Promise<number> {
  return withStorage(options, async ({ migrations }) => {
    const target = options.to === undefined ? {} : { to: options.to }
    const plans = await migrations.plan(target)
    const losing = plans.flatMap(({ name, warnings }) =>
      warnings.filter(({ kind }) => kind === 'data').map(({ step, message }) => `${name}, step ${step}: ${message}`),
    )
    for (const line of plans.flatMap((one) => warningLines(one, output))) output.note(line)
    if (losing.length > 0 && options.allowDestructive !== true) return refuse(output, losing)
    const runs = await migrations.apply({
      ...target,
      onProgress: (progress) =>
        onProgress({ ...progress, what: `${progress.name}, step ${progress.step}, ${progress.table}` }),
    })
    output.result({ applied: runs }, linesOfRuns(runs, 'applied', output))
    return EXIT.done
  })
}

function refuse(output: Output, reasons: readonly string[]): number {
  output.result({ refused: reasons }, [...reasons, 'Nothing was done. If this is meant: --allow-destructive'])
  return EXIT.failed
}

async function plan(options: ProjectOptions & { to?: string; dialect?: string }, output: Output): Promise<number> {
  return withStorage(options, async ({ migrations }, all) => {
    const pending = await migrations.plan(options.to === undefined ? {} : { to: options.to })
    const names = new Set(pending.map(({ name }) => name))
    const plans: Record<string, MigrationPlan[]> = {}
    for (const dialect of ['sqlite', 'postgres'] as const) {
      if (options.dialect !== undefined && options.dialect !== dialect) continue
      const { schema } = (await backendOf(TARGETS[dialect], {}))({ models: new Map() })
      plans[dialect] = planFor(all, schema, dialect).filter(({ name }) => names.has(name))
    }
    const lines = Object.entries(plans).flatMap(([dialect, list]) =>
      list.flatMap((one) => [`-- ${one.name} on ${dialect}`, ...one.statements.map((text) => `${text};`), '']),
    )
    for (const line of pending.flatMap((one) => warningLines(one, output))) output.note(line)
    output.result(plans, lines.length === 0 ? ['Nothing is pending.'] : lines)
    return EXIT.done
  })
}

/** Names the backends; nothing is opened. */
const TARGETS = { sqlite: 'sqlite::memory:', postgres: 'postgres://localhost/plan' }

function warningLines({ name, warnings }: MigrationPlan, { colours }: Output): string[] {
  return warnings.map(
    ({ kind, step, message, instead }) => `${name}, step ${step}, ${kind}: ${message} ${colours.faint(instead)}`,
  )
}

function linesOfRuns(runs: readonly MigrationRun[], what: string, { colours }: Output): string[] {
  if (runs.length === 0) return ['There is nothing to do.']
  return runs.map(({ name, durationMs }) => `${colours.good(what)} ${name} ${colours.faint(`${durationMs} ms`)}`)
}

function lineOf({ name, state, appliedAt, appliedBy }: MigrationStatus, { colours }: Output): string {
  const colour = state === 'applied' ? colours.good : state === 'pending' ? colours.faint : colours.bad
  const rest = appliedAt === null ? '' : colours.faint(` ${appliedAt.toISOString()} ${appliedBy}`)
  return `${colour(state.padEnd(8))} ${name}${rest}`
}
