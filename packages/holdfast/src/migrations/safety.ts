import type { Model } from '../schema/index.ts'
import { changesOf, modelsOf } from './changes.ts'
import type { SchemaState } from './schema-state.ts'
import type { Step } from './step.ts'

/** Something about a step that somebody should know before it is made. */
export interface Warning {
  /** `data`: values are lost, or parked until `finalize`. `breaks`: the running version of the application fails. `locks`: others wait meanwhile. */
  readonly kind: 'data' | 'breaks' | 'locks'
  /** Which step, from 1 on. */
  readonly step: number
  readonly message: string
  /** The safer way. */
  readonly instead: string
}

/** What to know of the steps of a migration before they are made. */
export function warningsOf(before: SchemaState, steps: readonly Step[]): Warning[] {
  let state = before
  const made = new Set<string>()
  return changesOf(before, steps, undefined).flatMap(({ step, state: after }, at) => {
    const found = warningsOfStep(state, step, after).map((warning) => ({ ...warning, step: at + 1 }))
    state = after
    if (step.kind === 'createTable') made.add(step.table)
    // Nobody uses a table yet that the same migration has made.
    return 'table' in step && made.has(step.table) ? [] : found
  })
}

type StepWarning = Omit<Warning, 'step'>

function warningsOfStep(before: SchemaState, step: Step, after: SchemaState): StepWarning[] {
  switch (step.kind) {
    case 'dropTable':
      return [
        breaks(`The table ${step.table} goes; who still reads it fails.`, STOP_USING),
        parks(`the rows of ${step.table}`),
      ]
    case 'dropColumn': {
      const path = `${step.table}.${step.column}`
      return [breaks(`The column ${path} goes; who still reads it fails.`, STOP_USING), parks(`the values of ${path}`)]
    }
    case 'renameTable':
      return [breaks(`Who still says ${step.table} fails.`, EXPAND)]
    case 'renameColumn':
      return [breaks(`Who still says ${step.table}.${step.column} fails.`, EXPAND)]
    case 'addColumn':
      return addedColumn(step, modelsOf(after).get(step.table) as Model)
    case 'alterColumn':
      return alteredColumn(step, modelsOf(before).get(step.table) as Model, modelsOf(after).get(step.table) as Model)
    case 'createIndex':
      if (step.concurrently === true) return []
      return [locks(`Nobody writes to ${step.table} while the index is made on Postgres.`, CONCURRENTLY)]
    case 'addForeignKey':
    case 'addCheck':
      if (step.concurrently === true) return []
      return [locks(`Every row of ${step.table} is looked at while nobody writes to it on Postgres.`, CONCURRENTLY)]
    default:
      return []
  }
}

function addedColumn(step: Extract<Step, { kind: 'addColumn' }>, model: Model): StepWarning[] {
  const column = model.byName.get(step.column)
  const warnings: StepWarning[] = []
  const path = `${step.table}.${step.column}`
  const hasDefault = column?.default?.kind === 'value' || column?.default?.kind === 'now'
  if (column?.nullable === false && !hasDefault) {
    warnings.push(
      breaks(
        `The running version writes rows without ${path} and fails.`,
        'Make it nullable or give it a default, and require it when every version writes it.',
      ),
    )
  }
  if (step.definition.definition.unique)
    warnings.push(locks(`Nobody writes to ${step.table} while the index of ${path} is made on Postgres.`, UNIQUE_LATER))
  return warnings
}

function alteredColumn(step: Extract<Step, { kind: 'alterColumn' }>, before: Model, after: Model): StepWarning[] {
  const [from, to] = [before.byName.get(step.column), after.byName.get(step.column)]
  const path = `${step.table}.${step.column}`
  const warnings: StepWarning[] = []
  if (from?.type !== to?.type) {
    warnings.push(
      locks(
        `Postgres writes every row of ${step.table} anew while nobody reads it.`,
        `Add a column of the new type, fill it in batches, and drop ${path} later.`,
      ),
      breaks(`The running version reads and writes ${path} as ${from?.type}.`, EXPAND),
    )
  }
  if (from?.nullable === true && to?.nullable === false) {
    if (step.concurrently !== true)
      warnings.push(locks(`Every row of ${step.table} is looked at while nobody reads it on Postgres.`, CONCURRENTLY))
    warnings.push(
      breaks(`The running version may still write null to ${path}.`, 'Require it when every version writes it.'),
    )
  }
  if (step.fill !== null && from?.nullable === true) {
    warnings.push({
      kind: 'data',
      message: `Nulls in ${path} become ${String(step.fill.value)}, and no rollback makes them null again.`,
      instead: 'Keep it nullable, if the difference matters.',
    })
  }
  return warnings
}

const STOP_USING = 'Release a version that no longer uses it first, and drop it with the next one.'
const EXPAND = 'Add the new one beside it, write both, copy what is there, and drop the old one with a later version.'
const CONCURRENTLY = 'On a large table give the step { concurrently: true }: then others go on meanwhile.'
const UNIQUE_LATER =
  'On a large table add the column without unique(), and then m.createIndex(…, { unique: true, concurrently: true }).'

function breaks(message: string, instead: string): StepWarning {
  return { kind: 'breaks', message, instead }
}

function locks(message: string, instead: string): StepWarning {
  return { kind: 'locks', message, instead }
}

function parks(what: string): StepWarning {
  return {
    kind: 'data',
    message: `A rollback gives back ${what} until it is finalized; then nothing does.`,
    instead: 'Take a backup before finalize.',
  }
}
