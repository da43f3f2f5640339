import type { Documents, Table } from '../schema/index.ts'
import type { AnyColumn, DialectSql, Step } from './step.ts'

/** A step as the line of TypeScript that notes it. */
export function renderStep(step: Step): string {
  switch (step.kind) {
    case 'createTable':
      return renderTable(step.table, step.declaration)
    case 'dropTable':
      return call(step.kind, [step.table])
    case 'renameTable':
      return call(step.kind, [step.table, step.to])
    case 'renameColumn':
      return call(step.kind, [step.table, step.column, step.to])
    case 'dropColumn':
    case 'dropForeignKey':
      return call(step.kind, [step.table, step.column])
    case 'addColumn':
    case 'alterColumn': {
      const options = { ...(step.fill !== null && { fill: step.fill.value }), ...concurrency(step) }
      const rest = Object.keys(options).length === 0 ? '' : `, ${literal(options)}`
      const line = `m.${step.kind}(${literal(step.table)}, ${literal(step.column)}, ${renderColumn(step.definition)}${rest})`
      return step.fill === null ? line : `// Rows that are there get this value: choose it.\n${line}`
    }
    case 'createIndex':
    case 'dropIndex':
      return call(step.kind, [step.table, step.fields, ...optionsOf(step)])
    case 'addForeignKey': {
      const { model, onDelete = 'restrict', onUpdate = 'restrict' } = step.references
      return call(step.kind, [
        step.table,
        step.column,
        { model, ...actionsOf(onDelete, onUpdate), ...concurrency(step) },
      ])
    }
    case 'addCheck':
    case 'dropCheck':
      return call(step.kind, [step.table, step.where, ...(step.concurrently === true ? [concurrency(step)] : [])])
    case 'createView':
      return call(step.kind, [step.view, step.select])
    case 'dropView':
      return call(step.kind, [step.view])
    case 'data':
      return `// The rows of ${step.table} were changed here.`
    case 'sql':
      return call(step.kind, [step.sql as DialectSql])
  }
}

function concurrency({ concurrently = false }: { readonly concurrently?: boolean }): object {
  return concurrently ? { concurrently } : {}
}

function optionsOf(step: Extract<Step, { kind: 'createIndex' | 'dropIndex' }>): object[] {
  const { unique, sparse } = step
  const options = { ...(unique && { unique }), ...(sparse !== undefined && { sparse }), ...concurrency(step) }
  return Object.keys(options).length === 0 ? [] : [options]
}

function call(kind: string, given: readonly unknown[]): string {
  return `m.${kind}(${given.map((one) => literal(one)).join(', ')})`
}

function renderTable(name: string, declared: Table | Documents): string {
  const options = tableOptions(declared)
  const rest = options === null ? '' : `, ${options}`
  if (declared.kind === 'documents') return `m.createDocuments(${literal(name)}${rest})`
  const columns = Object.entries(declared.columns).map(
    ([column, one]) => `  ${propertyName(column)}: ${renderColumn(one)},`,
  )
  return [`m.createTable(${literal(name)}, {`, ...columns, `}${rest})`].join('\n')
}

/** The options of a table that are about the database; null for none. */
export function tableOptions(declared: Table | Documents): string | null {
  const options = Object.entries(declared.options).filter(
    ([option, value]) =>
      ['primaryKey', 'indexes', 'unique', 'sparse', 'checks'].includes(option) && (value as unknown[]).length > 0,
  )
  return options.length === 0 ? null : literal(Object.fromEntries(options))
}

/** A column as it is declared. What only the program knows, such as functions that make defaults, is left out. */
export function renderColumn({ definition }: AnyColumn): string {
  const { type, nullable, generated, unique, default: given, check, references, values, precision, scale } = definition
  if (given?.kind === 'id' && type === 'text') return 't.id()'
  const kind =
    type === 'enum' ? `enum(${literal(values)})` : type === 'decimal' ? `decimal(${precision}, ${scale})` : `${type}()`
  const parts = [`t.${kind}`]
  if (definition.primaryKey) parts.push('primaryKey()')
  if (generated) parts.push('generated()')
  if (nullable) parts.push('nullable()')
  if (unique) parts.push('unique()')
  if (given?.kind === 'now') parts.push('defaultNow()')
  if (given?.kind === 'value') parts.push(`default(${literal(given.value)})`)
  if (check !== undefined) parts.push(`check(${literal(check)})`)
  if (references !== undefined) {
    const actions = actionsOf(references.onDelete, references.onUpdate)
    const rest = Object.keys(actions).length === 0 ? '' : `, ${literal(actions)}`
    parts.push(`references(${literal(references.model)}${rest})`)
  }
  return parts.join('.')
}

function actionsOf(onDelete: string, onUpdate: string): Record<string, string> {
  return { ...(onDelete !== 'restrict' && { onDelete }), ...(onUpdate !== 'restrict' && { onUpdate }) }
}

/** A value as TypeScript writes it. */
export function literal(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Date) return `new Date(${quoted(value.toISOString())})`
  if (value instanceof Uint8Array) return `Uint8Array.of(${[...value].join(', ')})`
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const members = Object.entries(value).map(([name, inner]) => `${propertyName(name)}: ${literal(inner)}`)
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}

/** A name before a colon. */
export function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name)
}

function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}
