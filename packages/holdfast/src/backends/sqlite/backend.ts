import type {
  AlteringOptions,
  Backend,
  BackendFactory,
  Call,
  Connection,
  DatabaseCopy,
  ExistingTable,
  Plan,
  Result,
  Row,
  SchemaEditor,
  Settled,
  TableRules,
  Traits,
  Unsubscribe,
} from '../../backend/index.ts'
import { StorageError } from '../../base/errors.ts'
import type { Model, Models } from '../../schema/index.ts'
import type { Statement } from '../../statement/index.ts'
import { expectedTable, sqliteDialect } from '../sql/index.ts'
import { copyDatabase } from './database-copy.ts'
import { isClosed } from './failures.ts'
import { loadDriver } from './load-driver.ts'
import { type OpenDatabase, openDatabase } from './open-database.ts'
import { IN_MEMORY } from './opening.ts'
import type { SqliteOptions } from './options.ts'
import { prepareStatement, type SqlitePlan } from './prepare.ts'
import { expectedRules, inspectRules } from './rules.ts'
import { changeStatements, inspectTables } from './schema.ts'
import type { Writer } from './writer.ts'

/** SQLite behind the port; see `Writer` for how it writes and `FileReads` for how it reads. */
export class SqliteBackend implements Backend {
  readonly name = 'sqlite'
  readonly traits: Traits
  readonly schema: SchemaEditor
  readonly #models: Models
  readonly #options: SqliteOptions
  #database: OpenDatabase | undefined
  #closing: Promise<void> | undefined

  constructor(models: Models, options: SqliteOptions) {
    this.#models = models
    this.#options = options
    const onDisk = options.path !== IN_MEMORY
    this.traits = {
      persistent: onDisk,
      sharedBetweenProcesses: onDisk,
      skipsLocked: false,
      altersInTransaction: true,
      sql: 'sqlite',
    }
    this.schema = {
      apply: (changes, models) =>
        this.transaction({ altersTables: changes.some(({ kind }) => kind === 'alterTable') }, async (connection) =>
          connection.schema?.apply(changes, models),
        ),
      inspect: () => this.#opened(({ reads }) => reads.use(inspectTables)),
      statements: changeStatements,
      inspectRules: () => this.#opened(({ reads }) => reads.use(({ database }) => inspectRules(database))),
      expectedRules: (of) => this.#expectedRules(of),
      expected: (model: Model): ExistingTable => expectedTable(model, sqliteDialect),
    }
  }

  copy(): Promise<DatabaseCopy> {
    const make =
      (options: SqliteOptions): BackendFactory =>
      ({ models }) =>
        new SqliteBackend(models, options)
    return copyDatabase(this.#options, this.#models, make)
  }

  async open(): Promise<void> {
    this.#database = await openDatabase(this.#options, this.#models)
  }

  close(): Promise<void> {
    const database = this.#database
    this.#database = undefined
    this.#closing ??= database?.close() ?? Promise.resolve()
    return this.#closing
  }

  ping(): Promise<void> {
    return this.#opened(({ reads }) => reads.use(({ database }) => database.exec('select 1')))
  }

  prepare(statement: Statement): Plan {
    return prepareStatement(statement, this.#models)
  }

  execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    const own = plan as SqlitePlan
    const database = this.#database
    if (database === undefined) return Promise.reject(isClosed())
    if (!own.writes) return database.reads.execute(own, parameters)
    const { writer } = database
    return writer === undefined ? Promise.reject(onlyReads()) : writer.execute(own, parameters)
  }

  async *stream(plan: Plan, parameters: readonly unknown[]): AsyncGenerator<readonly Row[], void, undefined> {
    const own = plan as SqlitePlan
    if (own.writes) throw new TypeError('Only a select can be streamed')
    if (this.#database === undefined) throw isClosed()
    yield* this.#database.reads.stream(own, parameters)
  }

  executeTogether(calls: readonly Call[]): Promise<Settled[]> {
    return this.#writing((writer) => writer.executeTogether(calls))
  }

  transaction<T>(options: AlteringOptions, work: (connection: Connection) => Promise<T>): Promise<T> {
    if (options.readOnly === true) return this.#opened(({ reads }) => reads.transaction(options, work))
    return this.#writing((writer) => writer.transaction(options, work))
  }

  sql(text: string, parameters: readonly unknown[]): Promise<Result> {
    return this.#opened((database) => database.sql(text, parameters))
  }

  async notify(topic: string): Promise<void> {
    await this.#opened(async ({ wakes }) => wakes.notify(topic))
  }

  wake(topic: string, onWake: () => void): Promise<Unsubscribe> {
    return this.#opened(async ({ wakes }) => wakes.wake(topic, onWake))
  }

  /** The tables are made in a database in memory. */
  async #expectedRules(models: Models): Promise<readonly TableRules[]> {
    const driver = await loadDriver(this.#options.driver)
    const database = driver.open(IN_MEMORY)
    try {
      return expectedRules(database, models)
    } finally {
      database.close()
    }
  }

  #opened<T>(use: (database: OpenDatabase) => Promise<T>): Promise<T> {
    return this.#database === undefined ? Promise.reject(isClosed()) : use(this.#database)
  }

  #writing<T>(use: (writer: Writer) => Promise<T>): Promise<T> {
    return this.#opened(({ writer }) => (writer === undefined ? Promise.reject(onlyReads()) : use(writer)))
  }
}

function onlyReads(): StorageError {
  return new StorageError('READ_ONLY', 'The database was opened with readOnly.', {
    hint: 'Open it without readOnly to write.',
  })
}
