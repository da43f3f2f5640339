import { ConstraintError } from '../../base/errors.ts'
import { readPath } from '../../schema/index.ts'
import type { Assignment } from '../../statement/index.ts'
import type { Binder, Values } from './binder.ts'
import { type Definition, fieldName } from './definition.ts'
import { validityOf } from './validity.ts'
import type { StoredRow, ValueType } from './values.ts'

/** Makes the changed row of a stored one. `proposed` is the row that an insert had in mind. */
export type Changing = (before: StoredRow, values: Values, proposed: StoredRow) => StoredRow

/** The new value of a column or a member, from what is stored there. */
type NewValue = (stored: unknown, values: Values, proposed: StoredRow) => unknown

const JSON_VALUE: ValueType = { type: 'json' }

const MIN_BIGINT = -(2n ** 63n)
const MAX_BIGINT = 2n ** 63n - 1n

/**
 * Makes the changes of an update ready. What comes of them is checked like any row.
 *
 * @throws ConstraintError from the function given back.
 */
export function compileAssignments(set: readonly Assignment[], definition: Definition, binder: Binder): Changing {
  const steps = set.map((assignment) => {
    const { column, path } = assignment.field
    const slot = definition.slotOf(column)
    const [member] = path
    const newValue = compileNewValue(assignment, definition, slot, binder)
    return { slot, newValue: member === undefined ? newValue : inObject(member, assignment.operation, newValue) }
  })
  const assertValid = validityOf(definition)
  return (before, values, proposed) => {
    const after = before.slice()
    for (const { slot, newValue } of steps) after[slot] = newValue(after[slot], values, proposed)
    definition.complete(after)
    assertValid(after)
    return after
  }
}

/**
 * A member is only set in an object: there is none in null, in a list or in a scalar. Only numbers are incremented; one
 * that is missing is 0.
 */
function inObject(member: string, operation: Assignment['operation'], newValue: NewValue): NewValue {
  return (stored, values, proposed) => {
    if (typeof stored !== 'object' || stored === null || Array.isArray(stored)) return stored
    const isMissing = operation === 'increment' && !Object.hasOwn(stored, member)
    const before = isMissing ? 0 : readPath(stored, [member])
    if (operation === 'increment' && typeof before !== 'number') return stored
    return { ...stored, [member]: newValue(before, values, proposed) }
  }
}

function compileNewValue(
  { field, operation, operand }: Assignment,
  definition: Definition,
  slot: number,
  binder: Binder,
): NewValue {
  const isMember = field.path.length > 0
  if (operation === 'proposed' || operand === undefined) {
    return isMember ? (_, __, proposed) => readPath(proposed[slot], field.path) : (_, __, proposed) => proposed[slot]
  }
  const type = isMember ? JSON_VALUE : definition.columnOf(field.column)
  const at = binder.operand(operand, type)
  if (operation === 'set') return (_, values) => values[at]
  const isAllowed = limitOf(isMember ? 'json' : type.type, definition.columnOf(field.column).precision ?? 0)
  return (stored, values) => {
    if (stored === null) return null
    const sum = (stored as number) + (values[at] as number)
    if (isAllowed(sum, stored, values[at])) return sum
    throw new ConstraintError('CONSTRAINT_CHECK', definition.model.name, [fieldName(definition.model, field)])
  }
}

/** Whether a sum can be stored. */
type Limit = (sum: unknown, stored: unknown, added: unknown) => boolean

function limitOf(type: ValueType['type'], precision: number): Limit {
  switch (type) {
    case 'integer':
      return (sum) => Number.isSafeInteger(sum)
    case 'bigint':
      return (sum) => (sum as bigint) >= MIN_BIGINT && (sum as bigint) <= MAX_BIGINT
    case 'decimal':
      return (sum) => (sum as bigint) > -(10n ** BigInt(precision)) && (sum as bigint) < 10n ** BigInt(precision)
    case 'json':
      return (sum, stored, added) =>
        Number.isSafeInteger(stored) && Number.isSafeInteger(added) ? Number.isSafeInteger(sum) : Number.isFinite(sum)
    default:
      return (sum) => Number.isFinite(sum)
  }
}
