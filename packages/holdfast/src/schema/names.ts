/**
 * Names in the database: `lastUsed` becomes `last_used`. Every other character stays as it is, so that a
 * table may be called `order` or `naïve "quoted"`; backends quote all names.
 */
export function databaseName(name: string): string {
  return name.replace(/[A-Z]/g, (letter, at: number) => (at === 0 ? '' : '_') + letter.toLowerCase())
}

/** What a name of the database is called in TypeScript: `last_used` is `lastUsed`; null for one that no schema can say. */
export function typeScriptName(name: string): string | null {
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  return [camel, name].find((one) => databaseName(one) === name) ?? null
}

/** The longest name that every backend keeps whole, in bytes of UTF-8: Postgres cuts longer ones silently. */
export const MAX_NAME_BYTES = 63

/**
 * The name of an index or a constraint: `sessions_user_id_last_used_index`. One that would be too long, or hold other signs, ends in a hash
 * of the whole instead, so that two such names cannot collide.
 */
export function constraintName(table: string, fields: readonly string[], kind: string): string {
  const whole = [table, ...fields, kind].join('_')
  const plain = whole.replace(/[^\p{L}\p{N}_]+/gu, '_')
  return plain === whole && byteLength(whole) <= MAX_NAME_BYTES ? whole : withEnding(plain, `_${hash(whole)}_${kind}`)
}

/** A name that ends in a hash of what it stands for, where another thing would have the same. */
export function distinctName(name: string, identity: string): string {
  return withEnding(name, `_${hash(identity)}`)
}

function withEnding(name: string, ending: string): string {
  // No more signs than bytes can stay, however long the name is.
  let start = [...name.slice(0, 2 * MAX_NAME_BYTES)].slice(0, MAX_NAME_BYTES).join('')
  while (byteLength(start) + ending.length > MAX_NAME_BYTES) start = [...start].slice(0, -1).join('')
  return start + ending
}

/** The length of a name as a database counts it. */
export function byteLength(name: string): number {
  return new TextEncoder().encode(name).length
}

/** FNV-1a, 32 bits: enough to tell apart the few names that share their first fifty bytes. */
function hash(text: string): string {
  let value = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0
  return value.toString(36)
}
