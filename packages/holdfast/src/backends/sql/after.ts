import { sql } from 'kysely'
import type { AfterKey } from '../../statement/index.ts'
import { JSON_RANK, type JsonPath, type Sql } from './dialect.ts'
import type { ConditionContext, Term } from './fields.ts'

/** One step of an ordering beside the value that the last row of the page before had there. */
interface Step {
  /** The row has the same value. */
  readonly equal: Sql
  /** The row comes later by this step alone; null where none can. */
  readonly beyond: Sql | null
  /** True of every row that is equal or beyond, and something an index can start at. */
  readonly from?: Sql
}

/** The condition of keyset paging: as a row comparison where SQL's means the same, else step by step. */
export function comesAfter(keys: readonly AfterKey[], context: ConditionContext): Sql {
  const terms = keys.map(({ field }) => context.fields(field))
  const row = asRowComparison(keys, terms, context)
  if (row !== null) return row
  const steps = keys.map((key, index) => stepOf(key, terms[index] as Term, context))
  return steps.reduceRight<Sql | null>((later, step) => joined(step, later), null) ?? sql`false`
}

/** `later`: what must hold where this step is equal; null where nothing can follow. */
function joined({ equal, beyond, from }: Step, later: Sql | null): Sql | null {
  const tied = later === null ? null : sql`(${equal} and ${later})`
  if (beyond === null || tied === null) return beyond ?? tied
  const either = sql`(${beyond} or ${tied})`
  return from === undefined ? either : sql`(${from} and ${either})`
}

function asRowComparison(
  keys: readonly AfterKey[],
  terms: readonly Term[],
  { dialect, values }: ConditionContext,
): Sql | null {
  const [first] = keys
  const columns: Sql[] = []
  const bounds: Sql[] = []
  for (const [index, { direction, parameter }] of keys.entries()) {
    const term = terms[index] as Term
    if (direction !== first?.direction || parameter === null || term.kind === 'path' || term.nullable) return null
    const codec = dialect.codec(term.type)
    columns.push(term.sql)
    bounds.push(values.place(parameter, codec.type, codec.encode))
  }
  const operator = first?.direction === 'desc' ? sql`<` : sql`>`
  if (columns.length === 1) return sql`${columns[0]} ${operator} ${bounds[0]}`
  return sql`(${sql.join(columns)}) ${operator} (${sql.join(bounds)})`
}

function stepOf(key: AfterKey, term: Term, context: ConditionContext): Step {
  if (term.kind === 'path') return pathStep(key, term.path, context)
  const { direction, parameter } = key
  if (parameter === null) return nullStep(term.sql, direction === 'asc')
  const { dialect, values } = context
  const codec = dialect.codec(term.type)
  const bound = (): Sql => values.place(parameter, codec.type, codec.encode)
  const equal = sql`${term.sql} = ${bound()}`
  if (direction === 'asc') return { equal, beyond: sql`${term.sql} > ${bound()}`, from: sql`${term.sql} >= ${bound()}` }
  const beyond = sql`${term.sql} < ${bound()}`
  if (!term.nullable) return { equal, beyond, from: sql`${term.sql} <= ${bound()}` }
  return { equal, beyond: sql`(${beyond} or ${term.sql} is null)` }
}

/** After null everything else follows ascending, and nothing descending. */
function nullStep(value: Sql, ascending: boolean): Step {
  return { equal: sql`${value} is null`, beyond: ascending ? sql`${value} is not null` : null }
}

/** What stands at a path orders by the rank of its type, then by its value; lists and objects do not order among themselves. */
function pathStep(
  { direction, parameter, json }: AfterKey,
  path: JsonPath,
  { dialect, values }: ConditionContext,
): Step {
  const { rank } = path
  const ascending = direction === 'asc'
  if (parameter === null && json !== 'other') return nullStep(rank, ascending)
  const type = json ?? 'text'
  const here = sql.lit(JSON_RANK[type])
  const otherRank = ascending ? sql`${rank} > ${here}` : sql`(${rank} < ${here} or ${rank} is null)`
  if (type === 'other' || parameter === null)
    return { equal: sql`${rank} = ${here}`, beyond: ascending ? null : otherRank }
  const { type: scalarType, encode } = dialect.scalar(type)
  const compared = (operator: Sql): Sql =>
    sql`(${path.is(type)} and ${path.scalar(type)} ${operator} ${values.place(parameter, scalarType, encode)})`
  return {
    equal: compared(sql`=`),
    beyond: sql`(${otherRank} or ${compared(ascending ? sql`>` : sql`<`)})`,
    ...(ascending && { from: sql`${rank} >= ${here}` }),
  }
}
