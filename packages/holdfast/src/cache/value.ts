import { type Issue, ValidationError } from '../base/errors.ts'
import { acceptJson } from '../schema/index.ts'

/**
 * A copy of a value that nobody else can change.
 *
 * @throws ValidationError naming the path of what JSON cannot hold.
 */
export function ownValue(cache: string, value: unknown, path = 'value'): unknown {
  const issues: Issue[] = []
  const own = acceptJson(value, path, issues)
  if (issues.length > 0) throw new ValidationError(`A value of the cache ${cache} was refused`, issues)
  return own
}

/** Whether a copy of the value is another one: it is an object or a list. */
export function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Makes a value of JSON and all that lies in it unchangeable. */
export function freeze(value: unknown): void {
  if (!isNested(value) || Object.isFrozen(value)) return
  for (const member of Object.values(value)) freeze(member)
  Object.freeze(value)
}
