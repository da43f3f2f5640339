import { sql } from 'kysely'
import type { Model } from '../../schema/index.ts'
import type { Assignment, Operand } from '../../statement/index.ts'
import { compileOperand } from './conditions.ts'
import type { MemberChange, Sql } from './dialect.ts'
import { type ConditionContext, columnOf, plainOf } from './fields.ts'

/** The new values of columns, by their names in the database. The changes of one JSON column's members are made together. */
export function compileAssignments(
  assignments: readonly Assignment[],
  model: Model,
  context: ConditionContext,
): Record<string, Sql> {
  const set: Record<string, Sql> = {}
  const members = new Map<string, MemberChange[]>()
  for (const assignment of assignments) {
    const { column, path } = assignment.field
    const [member] = path
    if (member === undefined) set[columnOf(model, column).column] = newValue(assignment, model, context)
    else members.set(column, [...(members.get(column) ?? []), memberChange(member, assignment, model, context)])
  }
  for (const [column, changes] of members) {
    const stored = plainOf(context.fields({ source: 0, column, path: [] }))
    set[columnOf(model, column).column] = context.dialect.withMembers(stored, changes)
  }
  return set
}

function newValue({ field, operation, operand }: Assignment, model: Model, context: ConditionContext): Sql {
  const term = context.fields(field)
  if (operation === 'proposed' || operand === undefined || term.kind === 'path') return proposed(field.column, model)
  const value = compileOperand(operand, term, context)
  if (operation === 'set') return value
  return context.dialect.incremented(term.sql, value, columnOf(model, field.column))
}

function memberChange(
  name: string,
  { field, operation, operand }: Assignment,
  model: Model,
  context: ConditionContext,
): MemberChange {
  const { dialect, values } = context
  if (operation === 'proposed' || operand === undefined) {
    const member = dialect.path(proposed(field.column, model), [name])
    return { name, operation: 'set', value: sql`coalesce(${member.whole}, 'null')` }
  }
  const { parameter } = operand as Extract<Operand, { readonly kind: 'parameter' }>
  if (operation === 'set')
    return { name, operation, value: values.place(parameter, dialect.codec({ type: 'json' }).type, JSON.stringify) }
  const { type } = dialect.codec({ type: 'real' })
  return { name, operation: 'increment', value: values.place(parameter, type) }
}

/** The value of the row that was to be inserted. */
function proposed(column: string, model: Model): Sql {
  return sql.id('excluded', columnOf(model, column).column)
}
