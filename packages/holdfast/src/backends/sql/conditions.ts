import { sql } from 'kysely'
import type { ComparisonOperator, Condition, Operand } from '../../statement/index.ts'
import { comesAfter } from './after.ts'
import type { Dialect, Sql } from './dialect.ts'
import type { ConditionContext, Term } from './fields.ts'
import { joined } from './joined.ts'

const OPERATORS: Record<ComparisonOperator, Sql> = {
  eq: sql`=`,
  gt: sql`>`,
  gte: sql`>=`,
  lt: sql`<`,
  lte: sql`<=`,
}

/**
 * A condition in SQL, true exactly where it is true. Where it is false SQL may also say unknown, which `where`, `and` and `or`
 * take for false; `not` asks for `is not true`, so that a negated comparison finds nulls.
 */
export function compileCondition(condition: Condition, context: ConditionContext): Sql {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return combined(condition.kind, condition.conditions, context)
    case 'not':
      return sql`(${compileCondition(condition.condition, context)}) is not true`
    case 'compare':
      return compare(condition, context)
    case 'in':
      return isIn(condition, context)
    case 'null': {
      const term = context.fields(condition.field)
      return term.kind === 'path' ? sql`${term.path.rank} is null` : sql`${term.sql} is null`
    }
    case 'match':
      return match(condition, context)
    case 'has':
      return has(condition, context)
    case 'after':
      return comesAfter(condition.keys, context)
  }
}

function combined(kind: 'and' | 'or', conditions: readonly Condition[], context: ConditionContext): Sql {
  const [first] = conditions
  if (first === undefined) return kind === 'and' ? sql`true` : sql`false`
  if (conditions.length === 1) return compileCondition(first, context)
  const parts = conditions.map((condition) => compileCondition(condition, context))
  return joined(parts, kind)
}

type Of<Kind extends Condition['kind']> = Extract<Condition, { readonly kind: Kind }>

function compare({ field, operator, operand, json }: Of<'compare'>, context: ConditionContext): Sql {
  const term = context.fields(field)
  if (term.kind === 'value') return sql`${term.sql} ${OPERATORS[operator]} ${compileOperand(operand, term, context)}`
  const { dialect, values } = context
  const parameter = (operand as Extract<Operand, { readonly kind: 'parameter' }>).parameter
  const type = json ?? 'text'
  if (operator === 'eq') return term.path.equals(type, parameter, values)
  const { type: scalarType, encode } = dialect.scalar(type)
  const value = values.place(parameter, scalarType, encode)
  return sql`(${term.path.is(type)} and ${term.path.scalar(type)} ${OPERATORS[operator]} ${value})`
}

/** What a column is compared with or set to. */
export function compileOperand(
  operand: Operand,
  { type }: Extract<Term, { readonly kind: 'value' }>,
  { dialect, values }: Pick<ConditionContext, 'dialect' | 'values'>,
): Sql {
  if (operand.kind === 'now') return dialect.now(values.place(operand.plusMs, dialect.codec({ type: 'real' }).type))
  const codec = dialect.codec(type)
  return values.place(operand.parameter, codec.type, codec.encode)
}

/** The condition that two fields are equal. Lists and objects equal nothing, and at a JSON path only a text equals a text. */
export function equalTerms(left: Term, right: Term, dialect: Dialect): Sql {
  if (left.kind === 'value' && right.kind === 'value') return sql`${left.sql} = ${right.sql}`
  if (left.kind === 'path' && right.kind === 'path') {
    const pairs = left.path.uniqueKeys.map((key, at) => sql`${key} = ${right.path.uniqueKeys[at]}`)
    return sql`(${sql.join(pairs, sql` and `)})`
  }
  const [term, column] = left.kind === 'path' ? [left, right] : [right, left]
  if (term.kind !== 'path' || column.kind !== 'value') return sql`false`
  const scalar = dialect.asScalar(column.sql, column.type)
  if (scalar === null) return sql`false`
  return sql`(${term.path.is(scalar.json)} and ${term.path.scalar(scalar.json)} = ${scalar.value})`
}

function isIn({ field, parameter, json }: Of<'in'>, { fields, dialect, values }: ConditionContext): Sql {
  const term = fields(field)
  if (term.kind === 'value') return values.isIn(term.sql, dialect.codec(term.type), parameter)
  const type = json ?? 'text'
  return sql`(${term.path.is(type)} and ${values.isIn(term.path.scalar(type), dialect.scalar(type), parameter)})`
}

function match({ field, operator, parameter }: Of<'match'>, { fields, dialect, values }: ConditionContext): Sql {
  const term = fields(field)
  if (term.kind === 'value') return dialect.matches(operator, term.sql, parameter, values)
  return sql`(${term.path.is('text')} and ${dialect.matches(operator, term.path.scalar('text'), parameter, values)})`
}

function has({ field, parameter, json }: Of<'has'>, { fields, dialect, values }: ConditionContext): Sql {
  const term = fields(field)
  const path = term.kind === 'path' ? term.path : dialect.path(term.sql, [])
  return path.has(json, parameter, values)
}
