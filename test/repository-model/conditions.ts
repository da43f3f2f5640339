import type { Fields } from './schema.ts'
import { areAlike, areEqual, compareValues, valueAt } from './values.ts'

const ORDERS: Readonly<Record<string, (order: number) => boolean>> = {
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
}

/** Whether a condition holds for a record: true or false, never unknown. */
export function holds(where: Fields, record: Fields): boolean {
  return Object.entries(where).every(([name, asked]) => {
    if (name === 'and') return (asked as Fields[]).every((inner) => holds(inner, record))
    if (name === 'or') return (asked as Fields[]).some((inner) => holds(inner, record))
    if (name === 'not') return !holds(asked as Fields, record)
    const operators = isOperators(asked) ? Object.entries(asked) : [['eq', asked] as const]
    return operators.every(([operator, value]) => fits(operator, valueAt(record, name), value, name))
  })
}

function isOperators(asked: unknown): asked is Fields {
  return typeof asked === 'object' && asked !== null && !(asked instanceof Date)
}

function fits(operator: string, stored: unknown, asked: unknown, field: string): boolean {
  const order = ORDERS[operator]
  if (order !== undefined) return areAlike(stored, asked, field) && order(compareValues(stored, asked, field))
  switch (operator) {
    case 'eq':
      return asked === null ? stored === null : areEqual(stored, asked, field)
    case 'ne':
      return !fits('eq', stored, asked, field)
    case 'in':
      return (asked as unknown[]).some((one) => fits('eq', stored, one, field))
    case 'notIn':
      return !fits('in', stored, asked, field)
    case 'startsWith':
      return typeof stored === 'string' && stored.startsWith(asked as string)
    case 'contains':
      return typeof stored === 'string' && stored.includes(asked as string)
    case 'has':
      return Array.isArray(stored) && stored.includes(asked)
    default:
      throw new TypeError(`The model knows no operator ${operator}`)
  }
}
