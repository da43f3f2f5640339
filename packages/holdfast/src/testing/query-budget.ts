import { AssertionError } from 'node:assert'
import { assertConfiguration, type Models, type OptionRule, optionRules } from '../schema/index.ts'
import { accessOf, describeAccess, type Statement } from '../statement/index.ts'
import type { Storage } from '../storage/index.ts'

/** What a piece of code may ask of a storage. */
export interface QueryBudget {
  /** At most so many statements. */
  readonly atMost?: number
  /** No statement may go through a whole table: each must find its rows by a key or an index. */
  readonly indexed?: boolean
}

const RULES: Readonly<Record<keyof QueryBudget, OptionRule>> = {
  atMost: optionRules.atLeast(0),
  indexed: optionRules.flag,
}

/**
 * Runs `work` and makes sure that it keeps to a budget of statements. It looks at the statements and the declared indexes, so that it finds a
 * missing index and a query in a loop in memory already, with three rows.
 *
 * Everything that the storage is asked meanwhile counts, also by others.
 *
 * @returns what `work` gives.
 * @throws AssertionError listing the statements; ConfigurationError for an unknown option.
 *
 * @example
 * ```ts
 * await expectStatements(storage, { atMost: 2, indexed: true }, () => users.find({ where: { team: 'x' }, include: { orders: true } }))
 * ```
 */
export async function expectStatements<T>(
  storage: Pick<Storage, 'onStatement' | 'models'>,
  budget: QueryBudget,
  work: () => Promise<T>,
): Promise<T> {
  assertConfiguration<QueryBudget>('The budget was refused', budget, RULES)
  const { atMost, indexed = false } = budget
  const statements: Statement[] = []
  const stop = storage.onStatement((statement) => statements.push(statement))
  try {
    const value = await work()
    const described = statements.map((statement) => `  ${describeStatement(statement, storage.models)}`).join('\n')
    if (atMost !== undefined && statements.length > atMost) {
      throw new AssertionError({
        message: `${statements.length} statements were executed, at most ${atMost} were expected:\n${described}`,
      })
    }
    if (indexed && statements.some((statement) => scans(statement, storage.models))) {
      throw new AssertionError({
        message: `A statement goes through a whole table; declare an index for it:\n${described}`,
      })
    }
    return value
  } finally {
    stop()
  }
}

function scans(statement: Statement, models: Models): boolean {
  if (statement.kind === 'insert') return false
  const access = accessOf(statement, models)
  return access.kind === 'scan' || access.joins.some(({ kind }) => kind === 'scan')
}

function describeStatement(statement: Statement, models: Models): string {
  const way = statement.kind === 'insert' ? '' : ` by ${describeAccess(accessOf(statement, models))}`
  return `${statement.kind} ${statement.model}${way}`
}
