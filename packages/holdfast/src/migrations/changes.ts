import { contentOf, type SchemaChange, type Traits } from '../backend/index.ts'
import { MigrationError } from '../base/errors.ts'
import { type Model, type ModelColumn, type Models, resolveModels } from '../schema/index.ts'
import { isConvertible } from './conversions.ts'
import { fold } from './fold.ts'
import { type Parking, renamesOf, type StepRenames } from './parking.ts'
import type { SchemaState } from './schema-state.ts'
import { assertInTransaction } from './sql-text.ts'
import type { DialectSql, Step } from './step.ts'

/** What a step means to a backend. */
export interface StepChanges {
  readonly step: Step
  readonly changes: readonly SchemaChange[]
  /** The models before the step. */
  readonly before: Models
  /** The models after the step. */
  readonly models: Models
  /** The state after the step. */
  readonly state: SchemaState
}

const resolved = new WeakMap<SchemaState['tables'], Models>()

/**
 * The models of a state.
 *
 * @throws ConfigurationError naming what is wrong with them.
 */
export function modelsOf({ tables }: SchemaState): Models {
  let models = resolved.get(tables)
  if (models === undefined) {
    models = resolveModels(Object.fromEntries(tables), {})
    resolved.set(tables, models)
  }
  return models
}

/** What steps mean to a backend of a dialect, one after the other. */
export function changesOf(
  state: SchemaState,
  steps: readonly Step[],
  dialect: Traits['sql'],
  parking?: Parking,
): StepChanges[] {
  let before = state
  return steps.map((step) => {
    const after = fold(before, step, parking)
    const models = modelsOf(after)
    if (step.kind === 'alterColumn') assertConvertible(modelsOf(before), models, step)
    if (step.kind === 'data' && step.sql !== undefined && dialect !== undefined) textFor(step.sql, dialect)
    const changes =
      'table' in step
        ? modelChanges(modelsOf(before), models, step, renamesOf(before, step, parking))
        : textChanges(step, dialect)
    const modelsBefore = modelsOf(before)
    before = after
    return { step, changes, before: modelsBefore, models, state: after }
  })
}

function assertConvertible(
  before: Models,
  after: Models,
  { table, column, concurrently }: Extract<Step, { kind: 'alterColumn' }>,
): void {
  const from = before.get(table)?.byName.get(column)
  const to = after.get(table)?.byName.get(column)
  if (from === undefined || to === undefined) return
  if (concurrently === true && typeName(from) !== typeName(to)) {
    throw new MigrationError(`${table}.${column} cannot become another type concurrently.`, {
      hint: 'Add a column of the new type, fill it with m.data, and drop this one with a later version.',
    })
  }
  if (isConvertible(from, to)) return
  throw new MigrationError(`${table}.${column} cannot be turned from ${typeName(from)} into ${typeName(to)}.`, {
    hint: 'Add a column of the new type, fill it from the old one, and drop that.',
  })
}

function typeName({ type, precision, scale, generated }: ModelColumn): string {
  const digits = precision === undefined ? '' : `(${precision}, ${scale})`
  return `${generated ? 'generated ' : ''}${type}${digits}`
}

function textChanges(step: Exclude<Step, { table: string }>, dialect: Traits['sql']): SchemaChange[] {
  if (dialect === undefined) return []
  if (step.kind === 'dropView') return [{ kind: 'sql', text: `drop view ${quoted(step.view)}` }]
  if (step.kind === 'sql') return [{ kind: 'sql', text: textFor(step.sql, dialect) }]
  return [{ kind: 'sql', text: `create view ${quoted(step.view)} as ${textFor(step.select, dialect)}` }]
}

function textFor(sql: DialectSql, dialect: NonNullable<Traits['sql']>): string {
  const text = typeof sql === 'string' ? sql : sql[dialect]
  if (text !== undefined) {
    assertInTransaction(text, dialect)
    return text
  }
  throw new MigrationError(`A step has SQL, but none for ${dialect}.`, {
    hint: `Give it: m.sql({ ${dialect}: '…' }), or '' where nothing is to be done there.`,
  })
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

type TableStep = Extract<Step, { table: string }>

/** The tables that a step changes: mostly one, but a new name changes what refers to it, and may take a name away from another's index. */
function modelChanges(before: Models, after: Models, step: TableStep, renames: StepRenames): SchemaChange[] {
  const { table: moved, columns = new Map<string, string>() } = renames
  const nameBefore = (name: string): string => (moved !== undefined && name === moved[0] ? moved[1] : name)
  const changes: SchemaChange[] = []
  for (const to of after.values()) {
    const from = before.get(nameBefore(to.name))
    if (from === undefined) changes.push({ kind: 'createTable', model: to })
    else if (contentOf(structureOf(from)) !== contentOf(structureOf(to)) || fillOf(step, to) !== undefined) {
      const fill = fillOf(step, to)
      const renamed = step.table === to.name && columns.size > 0 ? columns : undefined
      changes.push({
        kind: 'alterTable',
        from: moved === undefined ? from : referringTo(from, moved[1], moved[0]),
        to,
        ...(renamed !== undefined && { renamed }),
        ...(fill !== undefined && { fill }),
        ...('concurrently' in step && step.table === to.name && { concurrently: true }),
      })
    }
  }
  if (step.kind === 'dropTable' && moved === undefined) {
    const dropped = before.get(step.table)
    if (dropped !== undefined) changes.push({ kind: 'dropTable', table: dropped.table })
  }
  return changes
}

function fillOf(step: TableStep, { name }: Model): ReadonlyMap<string, unknown> | undefined {
  if ((step.kind !== 'addColumn' && step.kind !== 'alterColumn') || step.fill === null) return undefined
  return step.table === name ? new Map([[step.column, step.fill.value]]) : undefined
}

/** The model with its references to a table called as that is called now: they are the same references. */
function referringTo(model: Model, before: string, after: string): Model {
  const foreignKeys = model.foreignKeys.map((key) => (key.model === before ? { ...key, model: after } : key))
  return { ...model, foreignKeys }
}

/** What of a model is in the database. */
export function structureOf({ name, table, columns, primaryKey, indexes, foreignKeys, checks }: Model): unknown {
  const stored = columns.map(({ accept, schema, default: given, ...column }) => [
    column,
    given?.kind === 'value' || given?.kind === 'now' ? given : null,
  ])
  return [name, table, stored, primaryKey, indexes, foreignKeys, checks]
}
