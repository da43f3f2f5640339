import { ConstraintError } from '../../base/errors.ts'
import type { Model, ModelCheck } from '../../schema/index.ts'
import { modelScope, readWhere, Shape } from '../../statement/index.ts'
import { Binder } from './binder.ts'
import type { Definition } from './definition.ts'
import { compileCondition } from './predicate.ts'
import type { StoredRow } from './values.ts'

/** What every row of a table must be. */
interface Rules {
  readonly required: readonly { readonly slot: number; readonly field: string }[]
  readonly checks: readonly { readonly fields: readonly string[]; readonly passes: (row: StoredRow) => boolean }[]
}

const rulesOfDefinitions = new WeakMap<Definition, Rules>()

/**
 * Checks that a row has what may not be null, and meets the checks of its table.
 *
 * @throws ConstraintError
 */
export function assertValid(definition: Definition, row: StoredRow): void {
  let rules = rulesOfDefinitions.get(definition)
  if (rules === undefined) {
    rules = rulesOf(definition)
    rulesOfDefinitions.set(definition, rules)
  }
  for (const { slot, field } of rules.required) {
    if (row[slot] === null) throw new ConstraintError('CONSTRAINT_NOT_NULL', definition.model.name, [field])
  }
  for (const { fields, passes } of rules.checks) {
    if (!passes(row)) throw new ConstraintError('CONSTRAINT_CHECK', definition.model.name, fields)
  }
}

function rulesOf(definition: Definition): Rules {
  const { columns, checks } = definition.model
  const required = columns.flatMap(({ name, nullable }, slot) => (nullable ? [] : [{ slot, field: name }]))
  return {
    required,
    checks: checks.map((check) => ({ fields: check.fields, passes: compileCheck(definition, check) })),
  }
}

function compileCheck(definition: Definition, { where, nullPasses, name }: ModelCheck): (row: StoredRow) => boolean {
  const { condition, parameters } = readCheck(definition.model, where, name)
  const binder = new Binder()
  const holds = compileCondition(condition, (field) => definition.placeOf(field), binder)
  const values = binder.bind(parameters, 0)
  if (nullPasses === undefined) return (row) => holds(row, values)
  const slot = definition.slotOf(nullPasses)
  return (row) => row[slot] === null || holds(row, values)
}

function readCheck(model: Model, where: ModelCheck['where'], name: string) {
  const shape = new Shape(name)
  const condition = readWhere(where, modelScope(model), shape) ?? { kind: 'and' as const, conditions: [] }
  shape.assertValid(`The check ${name} is wrong`)
  return { condition, parameters: shape.parameters }
}
