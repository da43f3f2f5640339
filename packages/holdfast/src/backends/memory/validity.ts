import { ConstraintError } from '../../base/errors.ts'
import type { ModelCheck, ModelColumn } from '../../schema/index.ts'
import { EVERYTHING, readCheck } from '../../statement/index.ts'
import { Binder } from './binder.ts'
import type { Definition } from './definition.ts'
import { compileCondition } from './predicate.ts'
import type { StoredRow } from './values.ts'

/** @throws ConstraintError when a row lacks what may not be null, or does not meet a check of its table. */
export type AssertValid = (row: StoredRow) => void

const known = new WeakMap<Definition, AssertValid>()

/** What checks the rows of a table. */
export function validityOf(definition: Definition): AssertValid {
  let assertValid = known.get(definition)
  if (assertValid === undefined) {
    assertValid = compileValidity(definition)
    known.set(definition, assertValid)
  }
  return assertValid
}

function compileValidity(definition: Definition): AssertValid {
  const { name, columns } = definition.model
  const required = columns.flatMap(({ nullable }, slot) => (nullable ? [] : [slot]))
  const checks = definition.model.checks.map((check) => ({
    fields: check.fields,
    passes: compileCheck(definition, check),
  }))
  return (row) => {
    for (let at = 0; at < required.length; at++) {
      const slot = required[at] as number
      if (row[slot] === null)
        throw new ConstraintError('CONSTRAINT_NOT_NULL', name, [(columns[slot] as ModelColumn).name])
    }
    for (const { fields, passes } of checks) {
      if (!passes(row)) throw new ConstraintError('CONSTRAINT_CHECK', name, fields)
    }
  }
}

function compileCheck(definition: Definition, check: ModelCheck): (row: StoredRow) => boolean {
  const { condition, parameters } = readCheck(check, definition.model)
  const { nullPasses } = check
  const binder = new Binder()
  const holds = compileCondition(condition ?? EVERYTHING, (field) => definition.placeOf(field), binder)
  const values = binder.bind(parameters, 0)
  if (nullPasses === undefined) return (row) => holds(row, values)
  const slot = definition.slotOf(nullPasses)
  return (row) => row[slot] === null || holds(row, values)
}
