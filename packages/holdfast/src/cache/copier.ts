import { isNested } from './value.ts'

/** Makes a copy of a value of JSON of which nobody else has a part. */
export type Copier = (value: unknown) => unknown

/** How many shapes get a copier of their own. Values that all look different are copied step by step. */
const MOST_SHAPES = 500
/** How many members an object may have, and how deep it may be, to get one. */
const MOST_MEMBERS = 50
const MOST_LEVELS = 6

const copiers = new Map<string, Copier>()

/** Copies a level as a whole and then what lies in it, which is about twice as fast as going through all members. */
export function copyByLevel(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((member) => (isNested(member) ? copyByLevel(member) : member))
  const copy = { ...(value as Record<string, unknown>) }
  for (const name in copy) if (isNested(copy[name])) copy[name] = copyByLevel(copy[name])
  return copy
}

/**
 * How to copy values that look like this one. The copier is generated, because an object literal makes the copy at once: measured on an object
 * with a list and an object in it, 22 ns against 74 ns level by level.
 */
export function copierFor(value: object): Copier {
  const shape = shapeOf(value, 'value', 0)
  if (shape === undefined) return copyByLevel
  const known = copiers.get(shape)
  if (known !== undefined) return known
  if (copiers.size >= MOST_SHAPES) return copyByLevel
  const copier = new Function('copyByLevel', `return (value) => (${shape})`)(copyByLevel) as Copier
  copiers.set(shape, copier)
  return copier
}

/** The expression that copies a value, which names all members it has; undefined where that would be too long. */
function shapeOf(value: unknown, at: string, level: number): string | undefined {
  if (!isNested(value)) return at
  if (Array.isArray(value)) return value.some(isNested) ? `copyByLevel(${at})` : `${at}.slice()`
  const names = Object.keys(value)
  if (names.length > MOST_MEMBERS || level === MOST_LEVELS || names.includes('__proto__')) return undefined
  const members: string[] = []
  for (const name of names) {
    const quoted = JSON.stringify(name)
    const member = shapeOf((value as Record<string, unknown>)[name], `${at}[${quoted}]`, level + 1)
    if (member === undefined) return undefined
    members.push(`${quoted}: ${member}`)
  }
  return `{ ${members.join(', ')} }`
}
