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
import type { Traits } from '../backend/index.ts'
import { ConfigurationError } from '../base/errors.ts'
import type { Models } from '../schema/index.ts'
import { databaseName } from '../schema/names.ts'
import type { KyselyOf, SqlRunner } from './sql.ts'

type SqlDialect = NonNullable<Traits['sql']>

/**
 * Makes Kysely instances on a storage's own connections, typed from the schema; names are written as in TypeScript.
 * Inside a transaction they run in that transaction.
 */
export function kyselyFor(sql: SqlDialect): KyselyOf {
  const dialect = dialects[sql]
  return (runner, models) =>
    new Kysely({ dialect: dialect(new RunnerDriver(runner)), plugins: [new NamesPlugin(models)] })
}

const dialects: { readonly [Name in SqlDialect]: (driver: Driver) => Dialect } = {
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
