import type { Issue } from '../base/errors.ts'

/** How deep a JSON value may nest. SQLite's own limit is 1000, and a recursive reader wants headroom. */
export const MAX_JSON_DEPTH = 256

/** How many characters the texts and keys of one JSON value may hold together. */
const MAX_JSON_CHARACTERS: number = 16 * 1024 * 1024

/** Whether every backend can keep this text: without NUL characters and lone surrogates. */
export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/** Why a text was refused. */
export const UNSTORABLE_TEXT = 'must be text without NUL characters and lone surrogates'

/** After so many issues a value is read no further: what holds itself has no end of them. */
const MOST_ISSUES = 100

const TOO_DEEP = `must nest at most ${MAX_JSON_DEPTH} levels deep`

interface Budget {
  characters: number
}

/**
 * Copies a JSON value in the form in which it is stored: `undefined` members dropped, `-0` made `0`.
 * Anything JSON would change silently (a Date, NaN, a class instance, a bigint) is an issue.
 *
 * @returns the copy; meaningless when issues were added.
 */
export function acceptJson(value: unknown, path: string, issues: Issue[]): unknown {
  const budget = { characters: 0 }
  const before = issues.length
  const copy = copyJson(value, path, issues, budget, 0)
  if (issues.length > before && issues.some(({ reason }) => reason === TOO_DEEP)) {
    // What goes round is too deep in every place; where it does says more.
    const cycle = cycleIn(value, path, new Set(), new Set())
    if (cycle !== undefined) issues.splice(before, issues.length, cycle)
  }
  if (budget.characters > MAX_JSON_CHARACTERS) {
    issues.push({
      path,
      reason: `must hold at most ${MAX_JSON_CHARACTERS} characters of JSON; store it as bytes or a file`,
    })
  }
  return copy
}

function copyJson(value: unknown, path: string, issues: Issue[], budget: Budget, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      budget.characters += value.length + 2
      if (!isStorableText(value)) issues.push({ path, reason: UNSTORABLE_TEXT })
      return value
    case 'number':
      budget.characters += 8
      if (!Number.isFinite(value)) issues.push({ path, reason: `must be a finite number, got ${value}` })
      return value + 0
    case 'boolean':
      budget.characters += 5
      return value
    case 'object':
      if (value === null) return null
      if (depth >= MAX_JSON_DEPTH) {
        issues.push({ path, reason: TOO_DEEP })
        return null
      }
      if (budget.characters > MAX_JSON_CHARACTERS || issues.length > MOST_ISSUES) return null
      return Array.isArray(value)
        ? copyList(value, path, issues, budget, depth)
        : copyObject(value as Record<string, unknown>, path, issues, budget, depth)
    default:
      issues.push({ path, reason: `must be JSON, got a ${typeof value}` })
      return null
  }
}

function copyList(list: readonly unknown[], path: string, issues: Issue[], budget: Budget, depth: number): unknown[] {
  const copy = new Array<unknown>(list.length)
  for (let index = 0; index < list.length; index++) {
    copy[index] = copyJson(list[index], `${path}.${index}`, issues, budget, depth + 1)
  }
  return copy
}

function copyObject(
  object: Record<string, unknown>,
  path: string,
  issues: Issue[],
  budget: Budget,
  depth: number,
): Record<string, unknown> {
  const prototype = Object.getPrototypeOf(object)
  if (prototype !== Object.prototype && prototype !== null) {
    const kind = (prototype as { constructor?: { name?: string } }).constructor?.name ?? 'class instance'
    const advice = object instanceof Date ? '; store date.toISOString()' : ''
    issues.push({ path, reason: `must be JSON, got a ${kind}${advice}` })
    return {}
  }
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(object)) {
    const member = object[key]
    if (member === undefined) continue
    budget.characters += key.length + 4
    const at = path === '' ? key : `${path}.${key}`
    if (key === '__proto__' || !isStorableText(key)) {
      issues.push({ path: at, reason: key === '__proto__' ? 'is not allowed as a name' : UNSTORABLE_TEXT })
      continue
    }
    copy[key] = copyJson(member, at, issues, budget, depth + 1)
  }
  return copy
}

/** The first place where a value holds one of those that hold it. */
function cycleIn(value: unknown, path: string, holding: Set<object>, whole: Set<object>): Issue | undefined {
  if (typeof value !== 'object' || value === null || whole.has(value)) return undefined
  if (holding.has(value)) return { path, reason: 'must not hold what it lies in' }
  if (holding.size > MAX_JSON_DEPTH) return undefined
  holding.add(value)
  for (const [name, member] of Object.entries(value)) {
    const cycle = cycleIn(member, path === '' ? name : `${path}.${name}`, holding, whole)
    if (cycle !== undefined) return cycle
  }
  holding.delete(value)
  whole.add(value)
  return undefined
}

/** Copies a value that is known to be JSON, so that its owner cannot be changed through it. */
export function cloneJson<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(cloneJson) as Value
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) copy[key] = cloneJson((value as Record<string, unknown>)[key])
  return copy as Value
}

/** What stands at a path into JSON; null where nothing does. Lists are not entered. */
export function readPath(json: unknown, path: readonly string[]): unknown {
  let value = json
  for (const step of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, step)) return null
    value = (value as Record<string, unknown>)[step]
  }
  return value
}
