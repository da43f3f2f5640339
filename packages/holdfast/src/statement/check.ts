import { ConfigurationError, isHoldfastError } from '../base/errors.ts'
import type { Model, ModelCheck } from '../schema/index.ts'
import type { Condition } from './condition.ts'
import { modelScope } from './scope.ts'
import { Shape } from './shape.ts'
import { readWhere } from './where.ts'

/** The condition of a check, and the values in it. */
export interface ReadCheck {
  /** Left out where every row passes. */
  readonly condition: Condition | undefined
  readonly parameters: readonly unknown[]
}

/**
 * Reads a check of a model.
 *
 * @throws ConfigurationError for an invalid condition, or one that looks into a list: no SQL database can ask that in a check, and what one
 *   backend checks all must.
 */
export function readCheck({ where, name }: ModelCheck, model: Model): ReadCheck {
  const shape = new Shape(name)
  try {
    const condition = readWhere(where, modelScope(model), shape, model.name)
    shape.assertValid(`The check ${name} is wrong`)
    if (condition === undefined || !looksIntoList(condition)) return { condition, parameters: shape.parameters }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    throw new ConfigurationError(`${error.message}.`, { hint: 'Correct the check in the schema.', cause: error })
  }
  throw new ConfigurationError(
    `The check ${name} looks into a list with \`has\`, which databases do not do in a check.`,
    {
      hint: 'Let the Standard Schema of the documents or of the JSON column check it.',
    },
  )
}

/** @throws ConfigurationError for a check of these models that is wrong. */
export function assertChecks(models: Iterable<Model>): void {
  for (const model of models) for (const check of model.checks) readCheck(check, model)
}

function looksIntoList(condition: Condition): boolean {
  if (condition.kind === 'and' || condition.kind === 'or') return condition.conditions.some(looksIntoList)
  return condition.kind === 'not' ? looksIntoList(condition.condition) : condition.kind === 'has'
}
