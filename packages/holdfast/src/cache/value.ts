import { type Issue, ValidationError } from '../base/errors.ts'
import { acceptJson, cloneJson } from '../schema/index.ts'

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
  if (Array.isArray(value)) return value.some(isNested) ? cloneJson : copyList
  return Object.values(value as object).some(isNested) ? cloneJson : copyObject
}

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

function copyList(value: unknown): unknown {
  return (value as unknown[]).slice()
}

function copyObject(value: unknown): unknown {
  return { ...(value as object) }
}
