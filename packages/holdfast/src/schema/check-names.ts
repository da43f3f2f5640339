import type { Issue } from '../base/errors.ts'
import { describe } from './describe.ts'
import { byteLength, databaseName, MAX_NAME_BYTES } from './names.ts'

/** Words that combine conditions and so cannot be fields. */
const RESERVED = new Set(['and', 'or', 'not', 'reach', '__proto__'])

/** SQLite refuses tables of its own kind of name; Postgres would take the name for one of its catalog's. */
const RESERVED_TABLES = /^(sqlite|pg)_/i

/** Every table of Postgres has these already. */
const RESERVED_COLUMNS = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])

/** Whether a table of this name could not be told from those of a database itself. */
export function isReservedTable(name: string): boolean {
  return RESERVED_TABLES.test(databaseName(name))
}

/** Whether every table of a database has a column of this name already. */
export function isReservedColumn(name: string): boolean {
  return RESERVED_COLUMNS.has(databaseName(name))
}

/** Why such names are refused. */
export const KEPT_BY_DATABASES = 'has a name that a database keeps for itself'

/** Adds an issue for a name of a model or a field that no schema may give. */
export function checkDeclaredName(name: string, path: string, issues: Issue[]): void {
  // Every object has members such as `constructor`; a field of that name could not be told from them.
  if (name === '' || RESERVED.has(name) || name in Object.prototype) {
    issues.push({ path, reason: `cannot be called ${describe(name)}` })
  }
  if (name.includes('.') || name.includes('\0') || !name.isWellFormed()) {
    issues.push({ path, reason: 'cannot hold a dot, a NUL character or a lone surrogate' })
  }
  if (byteLength(databaseName(name)) > MAX_NAME_BYTES) {
    issues.push({ path, reason: `is longer than ${MAX_NAME_BYTES} bytes, which Postgres would cut` })
  }
}

/** Adds an issue for names that are one in the database. */
export function checkCollisions(names: readonly (readonly [string, string])[], what: string, issues: Issue[]): void {
  const seen = new Map<string, string>()
  for (const [name, inDatabase] of names) {
    const folded = inDatabase.toLowerCase()
    const other = seen.get(folded)
    if (other !== undefined)
      issues.push({ path: name, reason: `and ${other} of the ${what} are both ${inDatabase} in the database` })
    seen.set(folded, name)
  }
}
