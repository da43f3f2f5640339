import type { Kysely } from 'kysely'
import type { Session } from '../backend/index.ts'
import { createQueue, type Queue as QueueHandle } from '../queue/index.ts'
import { Repository } from '../repository/index.ts'
import type { Model, ModelName, QueueName, Schema } from '../schema/index.ts'
import { kyselyOf, type SqlRunner, type SqlTables } from './sql.ts'
import type { QueueData, QueueInput, RepositoryOf, Stores, Transaction, UndeclaredRepository } from './stores.ts'
import type { TransactionSession } from './transaction-session.ts'
import { EnsuringSession, undeclaredModel } from './undeclared.ts'

/** What all sessions of a storage share. */
export interface Shared {
  readonly schema: Schema
  /** Every model, features' own and undeclared ones included. */
  readonly models: Map<string, Model>
  readonly autoCreate: boolean
}

/** The ways to the data, in one session. */
export abstract class SessionStores<S extends Schema> implements Stores<S> {
  protected readonly shared: Shared
  readonly #session: Session & SqlRunner
  #sql: Kysely<SqlTables<S>> | undefined

  constructor(shared: Shared, session: Session & SqlRunner) {
    this.shared = shared
    this.#session = session
  }

  repository<Name extends ModelName<S>>(name: Name): RepositoryOf<S, Name>
  repository<Content extends object = Record<string, unknown>>(name: string): UndeclaredRepository<Content>
  repository(name: string): unknown {
    const { models, schema, autoCreate } = this.shared
    const declared = schema.models.get(name)
    if (declared !== undefined) return new Repository(this.#session, declared)
    const undeclared = models.get(name) ?? undeclaredModel(name, models, autoCreate)
    return new Repository(new EnsuringSession(this.#session, undeclared), undeclared)
  }

  queue<Name extends QueueName<S>>(name: Name): QueueHandle<QueueData<S, Name>, QueueInput<S, Name>>
  queue<Data = unknown>(name?: string): QueueHandle<Data, Data>
  queue(name = 'default'): unknown {
    const declaration = this.shared.schema.declarations[name]
    return createQueue(this.#session, name, declaration?.kind === 'queue' ? declaration : undefined)
  }

  get sql(): Kysely<SqlTables<S>> {
    this.#sql ??= kyselyOf<S>(this.#session, this.#session.traits, this.#session.models)
    return this.#sql
  }
}

/** The ways to the data, in one transaction. */
export class TransactionStores<S extends Schema> extends SessionStores<S> implements Transaction<S> {
  readonly #session: TransactionSession

  constructor(shared: Shared, session: TransactionSession) {
    super(shared, session)
    this.#session = session
  }

  transaction<T>(work: (tx: Transaction<S>) => Promise<T>): Promise<T> {
    return this.#session.runNested((inner) => work(new TransactionStores<S>(this.shared, inner)))
  }

  afterCommit(work: () => void): void {
    this.#session.afterCommit(work)
  }
}
