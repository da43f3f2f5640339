import { Option } from 'commander'
import { type MigrationPlan, type MigrationStatus, planFor } from '../migrations/index.ts'
import { backendOf } from '../storage/index.ts'
import { EXIT } from './exit.ts'
import type { Output } from './output.ts'
import { loadSchema, type ProjectOptions, withStorage } from './project.ts'
import type { AddCommand, RunCommand } from './run-command.ts'
import { noteWarnings } from './warnings.ts'

/** The commands that compare the database with migrations and schema, and change nothing: `status`, `plan`, `verify`. */
export function addComparing(command: AddCommand, run: RunCommand): void {
  command('status', 'how every migration stands')
    .option('--check', `end with ${EXIT.differs} unless all are applied`)
    .action((options: StatusOptions) => run(options, (output) => status(options, output)))

  command('plan', 'print the SQL that `up` would run, and what to know before')
    .option('--to <name>', 'the last one to apply')
    .addOption(new Option('--dialect <name>', 'both unless given').choices(DIALECTS))
    .action((options: PlanOptions) => run(options, (output) => plan(options, output)))

  command('verify', `compare the database with the schema; end with ${EXIT.differs} where they differ`).action(
    (options: ProjectOptions) => run(options, (output) => verify(options, output)),
  )
}

interface StatusOptions extends ProjectOptions {
  readonly check?: boolean
}

function status(options: StatusOptions, output: Output): Promise<number> {
  return withStorage(options, async ({ migrations }) => {
    const found = await migrations.status()
    output.result(found, found.length === 0 ? ['There are no migrations.'] : found.map((one) => lineOf(one, output)))
    return options.check === true && found.some(({ state }) => state !== 'applied') ? EXIT.differs : EXIT.done
  })
}

function lineOf({ name, state, appliedAt, appliedBy }: MigrationStatus, { colours }: Output): string {
  const colour = state === 'applied' ? colours.good : state === 'pending' ? colours.faint : colours.bad
  const rest = appliedAt === null ? '' : colours.faint(` ${appliedAt.toISOString()} ${appliedBy}`)
  return `${colour(state.padEnd(8))} ${name}${rest}`
}

/** Where to find the backend of a dialect; nothing is opened there. */
const TARGETS = { sqlite: 'sqlite::memory:', postgres: 'postgres://localhost/plan' }

type Dialect = keyof typeof TARGETS

const DIALECTS = Object.keys(TARGETS) as Dialect[]

interface PlanOptions extends ProjectOptions {
  readonly to?: string
  readonly dialect?: Dialect
}

function plan(options: PlanOptions, output: Output): Promise<number> {
  return withStorage(options, async ({ migrations }, all) => {
    const pending = await migrations.plan(options.to === undefined ? {} : { to: options.to })
    const names = new Set(pending.map(({ name }) => name))
    const plans: Partial<Record<Dialect, MigrationPlan[]>> = {}
    for (const dialect of options.dialect === undefined ? DIALECTS : [options.dialect]) {
      const { schema } = (await backendOf(TARGETS[dialect], {}))({ models: new Map() })
      plans[dialect] = planFor(all, schema, dialect).filter(({ name }) => names.has(name))
    }
    const lines = Object.entries(plans).flatMap(([dialect, list]) =>
      list.flatMap((one) => [`-- ${one.name} on ${dialect}`, ...one.statements.map((text) => `${text};`), '']),
    )
    noteWarnings(pending, output)
    output.result(plans, lines.length === 0 ? ['Nothing is pending.'] : lines)
    return EXIT.done
  })
}

async function verify(options: ProjectOptions, output: Output): Promise<number> {
  // Without a schema there would be nothing to compare with.
  await loadSchema(options)
  return withStorage(options, async ({ migrations }) => {
    const found = await migrations.verify()
    output.result(found, found.ok ? [output.colours.good('The database fits the schema.')] : found.differences)
    return found.ok ? EXIT.done : EXIT.differs
  })
}
