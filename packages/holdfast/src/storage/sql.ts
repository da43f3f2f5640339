import {
  CamelCasePlugin,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { Result, Traits } from '../backend/index.ts'
import { ConfigurationError } from '../base/errors.ts'
import type { Models, ModelTypes, Queue, Schema } from '../schema/index.ts'
import { databaseName } from '../schema/names.ts'

/**
 * A value as SQL has it: Holdfast does not translate what raw SQL reads and writes. On SQLite a boolean is 0 or 1, a
 * timestamp a number of milliseconds and JSON a text; on Postgres they are what `pg` makes of them. `docs/sql.md` has the table.
 */
export type SqlValue<Value> = Value extends boolean
  ? boolean | number
  : Value extends Date
    ? Date | number | string
    : Value extends bigint
      ? bigint | number | string
      : Value extends string | number | null | Uint8Array
        ? Value
        : unknown

/** The tables of a schema as Kysely takes them, by their names in TypeScript. */
export type SqlTables<S extends Schema> = {
  [Name in keyof S['declarations'] as S['declarations'][Name] extends Queue ? never : Name]: SqlColumns<
    NonNullable<(S['declarations'][Name] & ModelTypes)['$row']>
  >
}

type SqlColumns<Row> = { [Field in keyof Row]: SqlValue<Row[Field]> }

/** Runs SQL text: a storage or a transaction. */
export interface SqlRunner {
  sql(text: string, parameters: readonly unknown[]): Promise<Result>
}

/**
 * A Kysely instance on a storage's own connections, typed from the schema; names are written as in TypeScript.
 * Inside a transaction it runs in that transaction.
 *
 * @throws ConfigurationError on a backend that runs no SQL.
 */
export function kyselyOf<S extends Schema>(runner: SqlRunner, traits: Traits, models: Models): Kysely<SqlTables<S>> {
  const dialect = traits.sql === undefined ? undefined : dialects[traits.sql]
  if (dialect === undefined) {
    throw new ConfigurationError('This backend runs no SQL.', {
      hint: 'Use repositories, or open a storage on SQLite or Postgres.',
    })
  }
  return new Kysely({ dialect: dialect(new RunnerDriver(runner)), plugins: [new NamesPlugin(models)] })
}

const dialects: { readonly [Name in NonNullable<Traits['sql']>]?: (driver: Driver) => Dialect } = {
  sqlite: (driver) => ({
    createDriver: () => driver,
    createAdapter: () => new SqliteAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }),
  postgres: (driver) => ({
    createDriver: () => driver,
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  }),
}

/** Writes names as the database has them, by the rule that made the tables. */
class NamesPlugin extends CamelCasePlugin {
  readonly #names: ReadonlyMap<string, string>

  constructor(models: Models) {
    super()
    const columns = [...models.values()].flatMap((model) => model.columns)
    this.#names = new Map(columns.map(({ column, name }) => [column, name]))
  }

  protected override snakeCase(name: string): string {
    return databaseName(name)
  }

  protected override camelCase(name: string): string {
    return this.#names.get(name) ?? super.camelCase(name)
  }
}

/** Hands compiled queries to the storage; transactions are the storage's own. */
class RunnerDriver implements Driver {
  readonly #connection: DatabaseConnection

  constructor(runner: SqlRunner) {
    this.#connection = new RunnerConnection(runner)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }

  beginTransaction(): Promise<void> {
    return refuseTransaction()
  }

  commitTransaction(): Promise<void> {
    return refuseTransaction()
  }

  rollbackTransaction(): Promise<void> {
    return refuseTransaction()
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {}
}

class RunnerConnection implements DatabaseConnection {
  readonly #runner: SqlRunner

  constructor(runner: SqlRunner) {
    this.#runner = runner
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const { rows, count } = await this.#runner.sql(sql, parameters)
    return { rows: rows as Row[], numAffectedRows: BigInt(count) }
  }

  streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new ConfigurationError('storage.sql does not stream.', {
      hint: 'Use repository.stream() or query().stream().',
    })
  }
}

async function refuseTransaction(): Promise<void> {
  throw new ConfigurationError('storage.sql opens no transactions of its own.', {
    code: 'TRANSACTION_MISUSE',
    hint: 'Use storage.transaction(async (tx) => { await tx.sql … }).',
  })
}
