import type { SchemaEditor, TableRules } from '../../backend/index.ts'
import { Column, type ColumnType, resolveModel, t, table } from '../../schema/index.ts'
import type { AnyColumn } from '../step.ts'

/** Everything that a column says of itself. */
export type ColumnDefinition = AnyColumn['definition']

/** A column of a type of which nothing else is said. */
export function plain(type: ColumnType): ColumnDefinition {
  const definition = { type, nullable: true, primaryKey: false, generated: false, unique: false }
  if (type === 'decimal') return { ...definition, precision: 18, scale: 0 }
  return type === 'enum' ? { ...definition, values: ['a'] } : definition
}

/** What the database calls the type of such a column. */
export function typeIn(schema: SchemaEditor, definition: ColumnDefinition): string | undefined {
  const probe = table({ id: t.text().primaryKey(), probe: new Column({ ...definition, unique: false }) })
  const { columns } = schema.expected(resolveModel('holdfastProbe', probe as never))
  return columns.find(({ name }) => name === 'probe')?.type
}

/** Whether a rule of a table is a check. */
export function isCheck(rule: string): boolean {
  return rule.startsWith('check ') || rule.startsWith('range of ')
}

/** The texts of the checks that speak of a column. */
export function checksOn(rules: TableRules | undefined, column: string): string[] {
  return [...(rules?.rules ?? [])]
    .filter(([rule, text]) => isCheck(rule) && text.includes(column.replaceAll('"', '""')))
    .map(([, text]) => text)
}
