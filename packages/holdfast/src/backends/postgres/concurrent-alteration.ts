import { sql } from 'kysely'
import { type AlterTable, alterationOf, type ConcurrentAlteration, type SchemaChange } from '../../backend/index.ts'
import { ConstraintError } from '../../base/errors.ts'
import { distinctName, type Model, type ModelColumn, type ModelIndex, type Models } from '../../schema/index.ts'
import {
  addForeignKey,
  alterStatements,
  checkConstraint,
  constantOf,
  createIndex,
  postgresDialect,
} from '../sql/index.ts'

/** Runs statements outside of a transaction, each on its own and for as long as it takes, and gives the rows of the last. */
export type RunAlone = (texts: readonly string[]) => Promise<readonly (readonly (string | null)[])[]>

/**
 * The parts of an alteration that lets others write meanwhile, by https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES:
 * constraints are added `not valid` and validated after, which blocks nobody; a column is required by such a check, so that `set not null`
 * need not look at rows; indexes are made concurrently, which no transaction may be around.
 */
export function concurrentAlteration(change: AlterTable, models: Models, runAlone: RunAlone): ConcurrentAlteration {
  const { to } = change
  const parts = partsOf(change, models)
  return {
    before: parts.constraints.map(({ text }) => statement(`${text} not valid`)),
    finish: async () => {
      if (parts.fills.length > 0) await runAlone(parts.fills)
      for (const { name, required } of parts.constraints) await validate(to, name, required, runAlone)
      for (const index of parts.indexes) await build(index, runAlone)
      for (const name of parts.dropped) await runAlone([`drop index concurrently if exists ${quoted(name)}`])
    },
    after: [...parts.rest, ...parts.indexes.flatMap(renaming)].map(statement),
    undo: [
      ...parts.constraints.map(({ name }) => alter(to, `drop constraint if exists ${quoted(name)}`)),
      ...parts.indexes.map(({ built }) => `drop index if exists ${quoted(built)}`),
    ].map(statement),
  }
}

/** The same as one list, for people to read. */
export function concurrentStatements(change: AlterTable, models: Models): string[] {
  const { constraints, fills, indexes, dropped, rest } = partsOf(change, models)
  return [
    ...constraints.map(({ text }) => `${text} not valid`),
    ...fills,
    ...constraints.map(({ name }) => alter(change.to, `validate constraint ${quoted(name)}`)),
    ...indexes.flatMap(({ texts }) => texts),
    ...dropped.map((name) => `drop index concurrently if exists ${quoted(name)}`),
    ...rest,
    ...indexes.flatMap(renaming),
  ]
}

interface Parts {
  /** What is added `not valid`; `required` for one that only lets a column be required. */
  readonly constraints: readonly { readonly name: string; readonly text: string; readonly required?: ModelColumn }[]
  /** What takes the place of nulls. */
  readonly fills: readonly string[]
  readonly indexes: readonly NewIndex[]
  /** Indexes that go. */
  readonly dropped: readonly string[]
  /** What is done in the end, in a transaction. */
  readonly rest: readonly string[]
}

interface NewIndex {
  readonly name: string
  /** What it is called while the one that it replaces is there. */
  readonly built: string
  /** With the further indexes that it needs. */
  readonly texts: readonly string[]
}

function partsOf(change: AlterTable, models: Models): Parts {
  const { to, columns, indexes, foreignKeys, checks, fill } = alterationOf(change)
  const required = columns.kept.flatMap(({ from: before, to: after }) =>
    before.nullable && !after.nullable ? [after] : [],
  )
  const replaced = new Set(
    indexes.dropped.map(({ name }) => name).filter((name) => indexes.added.some((one) => one.name === name)),
  )
  const requiring = required.map((column) => {
    const name = requiredName(column)
    return {
      name,
      required: column,
      text: alter(to, `add constraint ${quoted(name)} check (${quoted(column.column)} is not null)`),
    }
  })
  const from: Model = { ...change.from, indexes: to.indexes, foreignKeys: to.foreignKeys, checks: to.checks }
  // Indexes over a column that becomes required are written otherwise; they are seen to here.
  const settled: Model = { ...to, indexes: [] }
  return {
    constraints: [
      ...requiring,
      ...foreignKeys.added.map((key) => ({ name: key.name, text: addForeignKey(key, to, models, postgresDialect) })),
      ...checks.added.map((check) => ({ name: check.name, text: addCheck(to, check) })),
    ],
    fills: [...fill].map(([name, value]) => filling(to, to.byName.get(name) as ModelColumn, value)),
    indexes: indexes.added.map((index) => newIndex(index, to, replaced.has(index.name))),
    dropped: indexes.dropped.map(({ name }) => name).filter((name) => !replaced.has(name)),
    rest: [
      ...alterStatements({ kind: 'alterTable', from: { ...from, indexes: [] }, to: settled }, models, postgresDialect),
      ...requiring.map(({ name }) => alter(to, `drop constraint ${quoted(name)}`)),
      ...[...replaced].map((name) => `drop index ${quoted(name)}`),
    ],
  }
}

function newIndex(index: ModelIndex, model: Model, isReplaced: boolean): NewIndex {
  const built = isReplaced ? distinctName(index.name, `${index.name} rebuilt`) : index.name
  const texts = createIndex({ ...index, name: built }, model, postgresDialect).map((text) =>
    text.replace(/^create (unique )?index /, 'create $1index concurrently '),
  )
  return { name: index.name, built, texts }
}

/** What gives an index that was built beside the old one its name. */
function renaming({ built, name }: NewIndex): string[] {
  return built === name ? [] : [`alter index ${quoted(built)} rename to ${quoted(name)}`]
}

function addCheck(model: Model, check: Model['checks'][number]): string {
  const condition = checkConstraint(check, model, postgresDialect)
  return sql`alter table ${sql.id(model.table)} add constraint ${sql.id(check.name)} check (${condition})`.compile(
    postgresDialect.builder,
  ).sql
}

function filling(model: Model, column: ModelColumn, value: unknown): string {
  const [table, name] = [sql.id(model.table), sql.id(column.column)]
  const given = constantOf(value, column, postgresDialect)
  return sql`update ${table} set ${name} = ${given} where ${name} is null`.compile(postgresDialect.builder).sql
}

async function validate(model: Model, name: string, required: ModelColumn | undefined, run: RunAlone): Promise<void> {
  try {
    await run([alter(model, `validate constraint ${quoted(name)}`)])
  } catch (error) {
    if (required === undefined || !(error instanceof ConstraintError)) throw error
    throw new ConstraintError('CONSTRAINT_NOT_NULL', model.name, [required.name], error)
  }
}

/** What an interrupted process has left of an index is of no use. While its server process is still at it, this waits for that to end. */
async function build({ texts, built }: NewIndex, run: RunAlone): Promise<void> {
  const left = await run([
    `select 1 from pg_index where indexrelid = to_regclass(format('%I.%I', current_schema(), ${literal(built)})) and not indisvalid`,
  ])
  if (left.length > 0) await run([`drop index concurrently if exists ${quoted(built)}`])
  for (const text of texts) await run([text])
}

function requiredName({ column }: ModelColumn): string {
  return `holdfast_required_${column}`.slice(0, 60)
}

function alter(model: Model, what: string): string {
  return `alter table ${quoted(model.table)} ${what}`
}

function statement(text: string): SchemaChange {
  return { kind: 'sql', text }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
