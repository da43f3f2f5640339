import type { ExistingTable, SchemaChange, SchemaEditor } from '../backend/index.ts'
import { MigrationError } from '../base/errors.ts'
import type { Model, ModelColumn } from '../schema/index.ts'

/** How a live table and the model it should have been made from compare. */
export interface Fit {
  /** What adds the things that are missing. */
  readonly changes: readonly SchemaChange[]
  /** What is missing and can be added, one sentence each. */
  readonly missing: readonly string[]
  /** What is otherwise different. */
  readonly differences: readonly string[]
}

/** Compares a live table with its model. */
export function fitOf(model: Model, table: ExistingTable | undefined, schema: Pick<SchemaEditor, 'expected'>): Fit {
  if (table === undefined) {
    const missing = [`the table ${model.table} of ${model.name} is missing`]
    return { changes: [{ kind: 'createTable', model }], missing, differences: [] }
  }
  const from = withoutMissing(model, table)
  const columns = model.columns.filter((column) => !from.byName.has(column.name))
  const indexes = model.indexes.filter((index) => !from.indexes.includes(index))
  return {
    changes:
      columns.length > 0
        ? [{ kind: 'alterTable', from, to: model }]
        : indexes.map(({ name }) => ({ kind: 'createIndex', model, index: name })),
    missing: [
      ...columns.map(({ column }) => `the column ${model.table}.${column} is missing`),
      ...indexes.map(({ name }) => `the index ${name} of ${model.name} is missing`),
    ],
    differences: differencesOf(schema.expected(from), table),
  }
}

/**
 * Makes the database fit the models: adds what is missing where `autoCreate` is on (tables, indexes, and columns that rows can do without),
 * and refuses to go on where a table that exists does not fit.
 *
 * @throws MigrationError, code `SCHEMA_MISMATCH`, naming every difference.
 */
export async function fitTables(schema: SchemaEditor, models: readonly Model[], autoCreate: boolean): Promise<void> {
  const existing = new Map((await schema.inspect()).map((table) => [table.name, table]))
  const fits = models.map((model) => fitOf(model, existing.get(model.table), schema))
  const differences = fits.flatMap((fit) => fit.differences)
  const missing = fits.flatMap((fit) => fit.missing)
  const changes = fits.flatMap((fit) => fit.changes)
  if (differences.length > 0) throw mismatch([...differences, ...missing], MIGRATE)
  if (missing.length > 0 && !autoCreate) throw mismatch(missing, MIGRATE)
  if (changes.length > 0) await schema.apply(changes)
}

const MIGRATE =
  'Run `npx holdfast migrate up`, or give openStorage the migrations; in development, autoCreate: true adds what is missing.'

/** The model without its indexes that are not there, and without those missing columns that can be added to rows which have nothing for them. */
function withoutMissing(model: Model, table: ExistingTable): Model {
  const isThere = ({ column }: ModelColumn): boolean => table.columns.some(({ name }) => name === column)
  const columns = model.columns.filter((column) => isThere(column) || !isAddable(column))
  const byName = new Map(columns.map((column) => [column.name, column]))
  return {
    ...model,
    columns,
    byName,
    indexes: model.indexes.filter(({ name }) => table.indexes.some((index) => index.name === name)),
    foreignKeys: model.foreignKeys.filter(({ column }) => byName.has(column)),
    checks: model.checks.filter(({ fields }) => fields.every((field) => byName.has(field.split('.')[0] as string))),
  }
}

function isAddable({ nullable, default: given }: ModelColumn): boolean {
  return nullable || given?.kind === 'now' || (given?.kind === 'value' && given.value !== null)
}

export function mismatch(differences: readonly string[], hint: string): MigrationError {
  return new MigrationError(`The database does not fit the schema: ${differences.join('; ')}.`, {
    code: 'SCHEMA_MISMATCH',
    hint,
    differences,
  })
}

function differencesOf(expected: ExistingTable, actual: ExistingTable): string[] {
  const differences: string[] = []
  for (const column of expected.columns) {
    const found = actual.columns.find(({ name }) => name === column.name)
    const path = `${expected.name}.${column.name}`
    if (found === undefined) differences.push(`the column ${path} is missing`)
    else if (found.type !== column.type) differences.push(`${path} is ${found.type} instead of ${column.type}`)
    else if (found.nullable !== column.nullable) {
      differences.push(`${path} ${found.nullable ? 'allows null' : 'does not allow null'}, the schema says otherwise`)
    }
  }
  const known = new Set(expected.columns.map(({ name }) => name))
  for (const { name, nullable } of actual.columns) {
    if (!known.has(name) && !nullable)
      differences.push(`${expected.name}.${name} is required there and not in the schema`)
  }
  if (expected.primaryKey.join() !== actual.primaryKey.join()) {
    differences.push(
      `${expected.name} has the primary key (${actual.primaryKey.join(', ')}) instead of (${expected.primaryKey.join(', ')})`,
    )
  }
  return differences
}
