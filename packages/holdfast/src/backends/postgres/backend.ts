import type {
  Backend,
  Call,
  Connection,
  DatabaseCopy,
  Plan,
  Result,
  Row,
  SchemaEditor,
  Settled,
  TableRules,
  Traits,
  TransactionOptions,
  Unsubscribe,
} from '../../backend/index.ts'
import { ConfigurationError, ConnectionError } from '../../base/errors.ts'
import type { Models } from '../../schema/index.ts'
import type { Statement } from '../../statement/index.ts'
import { expectedTable, postgresDialect } from '../sql/index.ts'
import { concurrentAlteration } from './concurrent-alteration.ts'
import { copyDatabase } from './database-copy.ts'
import type { Settings } from './options.ts'
import { makeParts, type Parts } from './parts.ts'
import { PostgresPlan } from './plan.ts'
import { expectedRules, inspectRules } from './rules.ts'
import { changeStatements, inspectTables } from './schema-editor.ts'
import { SCHEMA_DEADLINE_MS } from './transaction.ts'

/** Keeps everything in a Postgres database. What is behind it is made by `open`, when the driver is there. */
export class PostgresBackend implements Backend {
  readonly name = 'postgres'
  readonly traits: Traits = {
    persistent: true,
    sharedBetweenProcesses: true,
    skipsLocked: true,
    altersInTransaction: true,
    sql: 'postgres',
  }
  readonly schema: SchemaEditor
  readonly #models: Models
  readonly #settings: Settings
  #parts: Parts | undefined
  #closing: Promise<void> | undefined

  constructor(models: Models, settings: Settings) {
    this.#models = models
    this.#settings = settings
    this.schema = {
      apply: (changes, models) =>
        this.transaction({ isolation: 'read committed' }, async (connection) =>
          connection.schema?.apply(changes, models),
        ),
      inspect: async () => {
        const { autocommit } = this.#open
        return inspectTables((text, values) => autocommit.ask(text, values))
      },
      alterConcurrently: (change, models) =>
        concurrentAlteration(change, models, (texts) => this.#alone(texts, models)),
      statements: changeStatements,
      inspectRules: () => inspectRules((text, values) => this.sql(text, values)),
      expectedRules: (of) => this.#expectedRules(of),
      expected: (model) => expectedTable(model, postgresDialect),
    }
  }

  copy(): Promise<DatabaseCopy> {
    return copyDatabase(
      this.#settings,
      (settings) =>
        ({ models }) =>
          new PostgresBackend(models, settings),
    )
  }

  async open(): Promise<void> {
    this.#parts = await makeParts(this.#settings, this.#models)
    try {
      await this.ping()
    } catch (error) {
      await this.close()
      throw error
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async ping(): Promise<void> {
    await this.#open.autocommit.ask('select 1', [])
  }

  prepare(statement: Statement): Plan {
    return new PostgresPlan(statement, this.#models, this.#settings.prepare, this.#whenDeleted(statement))
  }

  async execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    return this.#open.gatherer.execute(plan as PostgresPlan, parameters)
  }

  async executeTogether(calls: readonly Call[]): Promise<Settled[]> {
    return this.#open.gatherer.executeTogether(calls)
  }

  async *stream(plan: Plan, parameters: readonly unknown[]): AsyncGenerator<readonly Row[], void, undefined> {
    yield* this.#open.transactions.stream(plan, parameters)
  }

  async sql(text: string, parameters: readonly unknown[]): Promise<Result> {
    return this.#open.autocommit.sql(text, parameters)
  }

  async notify(topic: string): Promise<void> {
    this.#open.listener.wakeHere(topic)
    return this.#open.notifier.notify(topic)
  }

  async wake(topic: string, onWake: () => void): Promise<Unsubscribe> {
    return this.#open.listener.add(topic, onWake)
  }

  async transaction<T>(options: TransactionOptions, work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#open.transactions.run(options, work)
  }

  /** What to do when rows were deleted by a statement. */
  #whenDeleted({ kind, model }: Statement): ((count: number) => void) | undefined {
    const { table, shortLived } = this.#models.get(model) ?? {}
    if (kind !== 'delete' || table === undefined || shortLived !== true) return undefined
    return (count) => this.#parts?.vacuum.deleted(table, count)
  }

  /** Statements that take their time, on a session without timeouts; one of a pooler is shared, and is left as it is. */
  #alone(texts: readonly string[], models: Models): ReturnType<Parts['autocommit']['alone']> {
    const patience = this.#settings.prepare ? ['set statement_timeout = 0', 'set lock_timeout = 0'] : []
    return this.#open.autocommit.alone([...patience, ...texts], models, SCHEMA_DEADLINE_MS)
  }

  /** The tables are made in a transaction that is rolled back. */
  async #expectedRules(models: Models): Promise<readonly TableRules[]> {
    const undone = new Error('rolled back')
    let rules: readonly TableRules[] = []
    await this.transaction({ isolation: 'read committed' }, async (connection) => {
      rules = await expectedRules((text, values) => runOn(connection, text, values), models)
      throw undone
    }).catch((error: unknown) => {
      if (error !== undone) throw error
    })
    return rules
  }

  async #close(): Promise<void> {
    const parts = this.#parts
    if (parts === undefined) return
    await parts.notifier.drained()
    await Promise.all([parts.listener.close(), parts.pool.close()])
  }

  /** @throws ConnectionError, code `CLOSED`; ConfigurationError before `open`. */
  get #open(): Parts {
    if (this.#closing !== undefined) {
      throw new ConnectionError('The Postgres backend is closed.', {
        code: 'CLOSED',
        hint: 'Open another.',
        retryable: false,
      })
    }
    if (this.#parts !== undefined) return this.#parts
    throw new ConfigurationError('The Postgres backend is not open.', { hint: 'Call open() first, and await it.' })
  }
}

function runOn(connection: Connection, text: string, values: readonly unknown[]): Promise<Result> {
  if (connection.sql === undefined) throw new TypeError('A transaction of Postgres runs SQL')
  return connection.sql(text, values)
}
