import { sql } from 'kysely'
import type { Sql } from './dialect.ts'

/** SQLite reads `a or b or c` as a tree as deep as the list is long, and refuses one that is deeper than 1,000. */
const LONGEST_LIST = 100

/** Conditions joined by `and` or `or`, in brackets; however many there are. */
export function joined(conditions: readonly Sql[], word: 'and' | 'or'): Sql {
  const between = word === 'and' ? sql` and ` : sql` or `
  if (conditions.length <= LONGEST_LIST) return sql`(${sql.join(conditions, between)})`
  const groups: Sql[] = []
  for (let from = 0; from < conditions.length; from += LONGEST_LIST) {
    groups.push(joined(conditions.slice(from, from + LONGEST_LIST), word))
  }
  return joined(groups, word)
}
