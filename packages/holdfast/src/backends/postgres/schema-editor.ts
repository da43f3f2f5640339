import type { ExistingTable, SchemaChange } from '../../backend/index.ts'
import { ConstraintError } from '../../base/errors.ts'
import type { Model, Models } from '../../schema/index.ts'
import { alterStatements, existingTables, postgresDialect, schemaSteps } from '../sql/index.ts'
import { concurrentStatements } from './concurrent-alteration.ts'
import { LOCK_TIMEOUT_MS } from './errors.ts'
import type { Reply } from './exchange.ts'
import { arrayLiteral } from './wire-values.ts'

/** Sends one statement and gives its rows. */
export type Ask = (text: string, values: readonly string[]) => Promise<Reply>

/** What a change of the schema needs of its transaction. */
export interface SchemaConnection {
  readonly ask: Ask
  /** Runs SQL as it stands, which may be several statements. */
  run(text: string): Promise<unknown>
}

/** Any number that nobody else is likely to lock. */
const SCHEMA_LOCK = '7308324466009108580'

const EXISTING = `select name from unnest($1::text[]) as name
  where to_regclass(format('%I.%I', current_schema(), name)) is not null`

/**
 * Makes changes of the schema inside a transaction. One process at a time, by an advisory lock that the end of the transaction frees:
 * `create table if not exists` fails when two run at once. `to_regclass` sees what is committed, whatever the transaction's snapshot.
 */
export async function applyChanges(
  { ask, run }: SchemaConnection,
  models: Models,
  changes: readonly SchemaChange[],
): Promise<void> {
  const [timeouts = []] = (
    await ask(`select current_setting('statement_timeout'), current_setting('lock_timeout')`, [])
  ).rows
  await setTimeouts(ask, ['0', String(LOCK_TIMEOUT_MS)])
  await ask('select pg_advisory_xact_lock($1::bigint)', [SCHEMA_LOCK])
  const wanted = changes.flatMap((change) => (change.kind === 'createTable' ? [change.model.table] : []))
  const { rows } = await ask(EXISTING, [arrayLiteral(wanted)])
  const existing = new Set(rows.map(([name]) => name as string))
  for (const step of schemaSteps(changes, existing, models, postgresDialect)) {
    if (typeof step === 'string') await ask(step, [])
    else if (step.kind === 'sql') await run(step.text)
    else for (const text of alterStatements(step, models, postgresDialect)) await alter(ask, text, step.to)
  }
  await setTimeouts(ask, timeouts as readonly string[])
}

/** Values that the new type of a column cannot hold. */
const UNREADABLE = new Set(['22P02', '22003', '22007', '22008'])

/** @throws ConstraintError where a value that is there cannot be turned into the new type of its column. */
async function alter(ask: Ask, text: string, model: Model): Promise<void> {
  try {
    await ask(text, [])
  } catch (error) {
    const { code = '' } = ((error as Error).cause ?? {}) as { readonly code?: string }
    throw UNREADABLE.has(code) ? new ConstraintError('CONSTRAINT_CHECK', model.name, [], error) : error
  }
}

/** For the rest of the transaction. */
function setTimeouts(ask: Ask, timeouts: readonly string[]): Promise<Reply> {
  return ask(`select set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true)`, timeouts)
}

/** What `applyChanges` runs in a database that has none of what is made. */
export function changeStatements(changes: readonly SchemaChange[], models: Models): string[] {
  return schemaSteps(changes, new Set(), models, postgresDialect).flatMap((step) => {
    if (typeof step === 'string') return [step]
    if (step.kind === 'sql') return [step.text]
    return step.concurrently === true
      ? concurrentStatements(step, models)
      : alterStatements(step, models, postgresDialect)
  })
}

/** The tables of the schema that new tables go into. */
export async function inspectTables(ask: Ask): Promise<ExistingTable[]> {
  const { columns, indexes } = postgresDialect.ddl.inspection
  const [columnRows, indexRows] = await Promise.all([ask(columns, []), ask(indexes, [])])
  return existingTables(columnRows.rows, indexRows.rows)
}
