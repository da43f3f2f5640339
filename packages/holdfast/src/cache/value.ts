import { type Issue, ValidationError } from '../base/errors.ts'
import { acceptJson } from '../schema/index.ts'

/** How a value is given out so that whoever changes it changes only a copy. */
type Copying = (value: unknown) => unknown

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

/** How to copy a value, found once so that a hit costs little: most are plain, or objects of plain members. */
export function copying(value: unknown): Copying | undefined {
  if (!isNested(value)) return undefined
  const members = Array.isArray(value) ? value : Object.values(value)
  return members.some(isNested) ? copyDeep : copyFlat
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function copyFlat(value: unknown): unknown {
  return Array.isArray(value) ? value.slice() : { ...(value as object) }
}

/** Copies a level as a whole and then what lies in it, which is about twice as fast as going through all members. */
function copyDeep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((member) => (isNested(member) ? copyDeep(member) : member))
  const copy = { ...(value as Record<string, unknown>) }
  for (const name in copy) if (isNested(copy[name])) copy[name] = copyDeep(copy[name])
  return copy
}

/** Makes a value of JSON and all that lies in it unchangeable. */
export function freeze(value: unknown): void {
  if (!isNested(value) || Object.isFrozen(value)) return
  for (const member of Object.values(value)) freeze(member)
  Object.freeze(value)
}
