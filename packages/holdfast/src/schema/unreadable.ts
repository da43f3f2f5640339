import { isHoldfastError, ValidationError } from '../base/errors.ts'

/** How much of a value is looked through for what breaks. */
const MAX_DEPTH = 300
const MAX_MEMBERS = 100_000

/** What a call was given, by the paths that its parts have in errors. */
export type Given = Readonly<Record<string, unknown>>

/**
 * The error to throw where reading what a call was given threw another: a `ValidationError` that names the part which cannot be read, such
 * as a getter that throws or a revoked proxy; the error itself where all of it can be, for then it is not the fault of the input.
 */
export function unreadable(error: unknown, subject: string, given: Given): unknown {
  if (isHoldfastError(error)) return error
  const seen = new Set<object>()
  for (const [root, value] of Object.entries(given)) {
    const path = brokenPart(value, root, seen, 0)
    if (path === undefined) continue
    const hint = 'Pass plain data, whose members can be read.'
    return new ValidationError(subject, [{ path, reason: 'cannot be read: looking at it throws' }], hint, error)
  }
  return error
}

function brokenPart(value: unknown, path: string, seen: Set<object>, depth: number): string | undefined {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined
  if (seen.has(value) || seen.size > MAX_MEMBERS || depth > MAX_DEPTH) return undefined
  seen.add(value)
  const names = lookedAt(() => {
    // Whatever asks for an object's kind asks one of these.
    Array.isArray(value)
    Object.getPrototypeOf(value)
    return Object.keys(value)
  })
  if (names === undefined) return path
  for (const name of names) {
    const at = path === '' ? name : `${path}.${name}`
    const member = lookedAt(() => [(value as Record<string, unknown>)[name]])
    if (member === undefined) return at
    const inner = brokenPart(member[0], at, seen, depth + 1)
    if (inner !== undefined) return inner
  }
  return undefined
}

function lookedAt<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
