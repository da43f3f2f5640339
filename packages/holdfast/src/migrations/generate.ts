import { contentOf } from '../backend/index.ts'
import { MigrationError } from '../base/errors.ts'
import type { Schema } from '../schema/index.ts'
import { modelsOf } from './changes.ts'
import { diff, inverted, type Renames, stateOf } from './diff.ts'
import { fold } from './fold.ts'
import { type Migration, readMigration } from './migration.ts'
import { stateAfterAll } from './plan.ts'
import { literal, renderStep } from './render.ts'
import type { SchemaState } from './schema-state.ts'
import type { Step } from './step.ts'

/** A migration that was written by comparing a schema with what the migrations before lead to. */
export interface GeneratedMigration {
  readonly name: string
  readonly up: readonly Step[]
  readonly down: readonly Step[]
  /** The file, in TypeScript. */
  readonly text: string
}

/**
 * Writes the migration from what the given ones lead to, to a schema.
 *
 * @returns null where there is no difference.
 * @throws MigrationError for a rename of what is not there.
 */
export function generateMigration(
  name: string,
  migrations: readonly Migration[],
  schema: Schema,
  renames: Renames = { tables: new Map(), columns: new Map() },
): GeneratedMigration | null {
  const before = stateAfterAll(migrations.map(readMigration))
  const after: SchemaState = { ...stateOf(schema), views: before.views }
  const up = beside(before, diff(before, after, renames))
  if (up.length === 0) return null
  const down = diff(after, before, inverted(renames))
  return { name, up, down, text: renderMigration(name, up, down) }
}

/**
 * The steps, of which those that look at every row of a table that was there before let others write to it meanwhile: nobody knows here how large
 * it is.
 */
export function beside(before: SchemaState, steps: readonly Step[]): Step[] {
  let state = before
  const made = new Set<string>()
  return steps.map((step) => {
    const from = state
    state = fold(state, step)
    if (step.kind === 'createTable') made.add(step.table)
    if (!('table' in step) || made.has(step.table) || !takesTime(step, from, state)) return step
    return { ...step, concurrently: true } as Step
  })
}

function takesTime(step: Step & { readonly table: string }, from: SchemaState, to: SchemaState): boolean {
  if (step.kind === 'createIndex' || step.kind === 'addForeignKey' || step.kind === 'addCheck') return true
  if (step.kind !== 'alterColumn') return false
  const [before, after] = [from, to].map((state) => modelsOf(state).get(step.table)?.byName.get(step.column))
  if (before?.nullable !== true || after?.nullable !== false) return false
  const { type, precision, scale, generated, values } = before
  return (
    contentOf([type, precision, scale, generated, values]) ===
    contentOf([after.type, after.precision, after.scale, after.generated, after.values])
  )
}

/** The file of a migration. */
export function renderMigration(name: string, up: readonly Step[], down: readonly Step[]): string {
  const steps = [bodyOf('up', up), bodyOf('down', down)]
  const usesColumns = steps.some((body) => /\bt\./.test(body))
  return [
    `import ${usesColumns ? '{ type Migration, t }' : 'type { Migration }'} from 'holdfast'`,
    '',
    'const migration: Migration = {',
    `  name: ${literal(name)},`,
    ...steps,
    '}',
    '',
    'export default migration',
    '',
  ].join('\n')
}

function bodyOf(direction: string, steps: readonly Step[]): string {
  if (steps.length === 0) return `  ${direction}() {},`
  const lines = steps.flatMap((step) => renderStep(step).split('\n')).map((line) => `    ${line}`)
  return [`  ${direction}(m) {`, ...lines, '  },'].join('\n')
}

/** What disappears and what is new: where both are, somebody should say whether it is a rename. */
export interface RenameQuestion {
  readonly kind: 'table' | 'column'
  /** `users`, or `users.name`. */
  readonly before: string
  /** What it may be called now. */
  readonly candidates: readonly string[]
}

/** The questions about renames that the difference between migrations and a schema leaves open. */
export function renameQuestions(migrations: readonly Migration[], schema: Schema): RenameQuestion[] {
  const before = stateAfterAll(migrations.map(readMigration))
  const after = stateOf(schema)
  const newTables = [...after.tables.keys()].filter((name) => !before.tables.has(name))
  const questions: RenameQuestion[] = []
  for (const [name, declared] of before.tables) {
    const target = after.tables.get(name)
    if (target === undefined) {
      if (newTables.length > 0) questions.push({ kind: 'table', before: name, candidates: newTables })
    } else if (declared.kind === 'table' && target.kind === 'table') {
      const added = Object.keys(target.columns).filter((column) => !(column in declared.columns))
      const dropped = Object.keys(declared.columns).filter((column) => !(column in target.columns))
      if (added.length === 0) continue
      questions.push(
        ...dropped.map(
          (column): RenameQuestion => ({ kind: 'column', before: `${name}.${column}`, candidates: added }),
        ),
      )
    }
  }
  return questions
}

/**
 * Reads what is called otherwise: `users:people` for a table, `people.name:fullName` for a column, by the new name of its table.
 *
 * @throws MigrationError for one that is written otherwise.
 */
export function readRenames(written: readonly string[]): Renames {
  const tables = new Map<string, string>()
  const columns = new Map<string, string>()
  for (const one of written) {
    const [before = '', after = '', ...rest] = one.split(':')
    if (before === '' || after === '' || rest.length > 0 || after.includes('.')) {
      throw new MigrationError(`The rename ${one} cannot be read.`, {
        hint: 'Write --rename users:people for a table, --rename people.name:fullName for a column.',
      })
    }
    if (before.includes('.')) columns.set(before, after)
    else tables.set(before, after)
  }
  return { tables, columns }
}
