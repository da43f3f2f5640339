import { Option } from 'commander'
import type { MigrationRun } from '../migrations/index.ts'
import { EXIT } from './exit.ts'
import type { Output } from './output.ts'
import { type ProjectOptions, withStorage } from './project.ts'
import { readCount } from './read-count.ts'
import type { AddCommand, RunCommand } from './run-command.ts'
import { noteWarnings } from './warnings.ts'

/** The commands that change the database: `up`, `down`, `finalize`. */
export function addApplying(command: AddCommand, run: RunCommand): void {
  command('up', 'apply what is pending')
    .option('--to <name>', 'the last one to apply')
    .option('--allow-destructive', 'also what drops tables or columns, or replaces values')
    .action((options: UpOptions) => run(options, (output) => up(options, output)))

  command('down', 'undo the last migration')
    .addOption(new Option('--steps <n>', 'how many').argParser(readCount).conflicts(['to', 'all']))
    .addOption(new Option('--to <name>', 'the one that is then the last').conflicts('all'))
    .option('--all', 'all of them')
    .action((options: DownOptions) => run(options, (output) => down(options, output)))

  command('finalize', 'drop for good what migrations dropped')
    .option('--allow-destructive', 'yes, drop it')
    .action((options: FinalizeOptions) => run(options, (output) => finalize(options, output)))
}

interface UpOptions extends ProjectOptions {
  readonly to?: string
  readonly allowDestructive?: boolean
}

function up(options: UpOptions, output: Output): Promise<number> {
  return withStorage(options, async ({ migrations }) => {
    const target = options.to === undefined ? {} : { to: options.to }
    const plans = await migrations.plan(target)
    noteWarnings(plans, output)
    const losing = plans.flatMap(({ name, warnings }) =>
      warnings.filter(({ kind }) => kind === 'data').map(({ step, message }) => `${name}, step ${step}: ${message}`),
    )
    if (losing.length > 0 && options.allowDestructive !== true) return refuse(output, losing)
    const runs = await migrations.apply({
      ...target,
      onProgress: (progress) =>
        output.progress({ ...progress, what: `${progress.name}, step ${progress.step}, ${progress.table}` }),
    })
    output.result({ applied: runs }, linesOf(runs, 'applied', output))
    return EXIT.done
  })
}

interface DownOptions extends ProjectOptions {
  readonly steps?: number
  readonly to?: string
  readonly all?: boolean
}

function down({ steps, to, all, ...options }: DownOptions, output: Output): Promise<number> {
  return withStorage(options, async ({ migrations }) => {
    const target = all === true ? { to: null } : to === undefined ? { steps: steps ?? 1 } : { to }
    const runs = await migrations.rollback(target)
    output.result({ rolledBack: runs }, linesOf(runs, 'rolled back', output))
    return EXIT.done
  })
}

interface FinalizeOptions extends ProjectOptions {
  readonly allowDestructive?: boolean
}

function finalize(options: FinalizeOptions, output: Output): Promise<number> {
  return withStorage(options, async ({ migrations }) => {
    if (options.allowDestructive !== true) return refuse(output, ['Nothing gives back what finalize drops.'])
    const names = await migrations.finalize()
    output.result({ finalized: names }, [`finalized ${names.length} migrations`])
    return EXIT.done
  })
}

function refuse(output: Output, reasons: readonly string[]): number {
  output.result({ refused: reasons }, [...reasons, 'Nothing was done. If this is meant: --allow-destructive'])
  return EXIT.failed
}

function linesOf(runs: readonly MigrationRun[], what: string, { colours }: Output): string[] {
  if (runs.length === 0) return ['There is nothing to do.']
  return runs.map(({ name, durationMs }) => `${colours.good(what)} ${name} ${colours.faint(`${durationMs} ms`)}`)
}
