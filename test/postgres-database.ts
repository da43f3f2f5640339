import { randomUUID } from 'node:crypto'
import { Client, type QueryResultRow } from 'pg'
import type { Backend } from '../packages/holdfast/src/backend/index.ts'
import { type PostgresOptions, postgres } from '../packages/holdfast/src/backends/postgres/index.ts'
import type { Schema } from '../packages/holdfast/src/schema/index.ts'
import { FaultyProxy } from '../packages/holdfast/src/testing/faults/proxy.ts'

/** An empty database for one test file on the Postgres of this run, seen from beside the backend under test. */
export class TestDatabase implements AsyncDisposable {
  readonly url: URL
  readonly #admin: Client
  readonly #opened: { close(): Promise<void> }[] = []

  private constructor(url: URL, admin: Client) {
    this.url = url
    this.#admin = admin
  }

  static async create(): Promise<TestDatabase> {
    const server = process.env['TEST_EMBEDDED_POSTGRES_URL'] as string
    const admin = new Client({ connectionString: server })
    await admin.connect()
    const url = new URL(server)
    url.pathname = `/test_${randomUUID().replaceAll('-', '')}`
    await admin.query(`create database ${url.pathname.slice(1)}`)
    return new TestDatabase(url, admin)
  }

  /** Opens a backend with the tables of a schema; it is closed with the database. */
  async open(schema: Schema, options: PostgresOptions = {}): Promise<Backend> {
    const backend = postgres({ url: this.url.href, ...options })({ models: schema.models })
    await backend.open()
    this.#opened.push(backend)
    await backend.schema.apply([...schema.models.values()].map((model) => ({ kind: 'createTable', model })))
    return backend
  }

  /** Starts a proxy before the server; it ends with the database. */
  async proxy(): Promise<{ readonly proxy: FaultyProxy; readonly url: string }> {
    const proxy = await FaultyProxy.start({ host: this.url.hostname, port: Number(this.url.port) })
    this.#opened.push(proxy)
    const url = new URL(this.url)
    url.port = String(proxy.port)
    return { proxy, url: url.href }
  }

  /** A session of its own. */
  async connect(): Promise<Client> {
    const client = new Client({ connectionString: this.url.href })
    client.on('error', () => undefined)
    await client.connect()
    this.#opened.push({ close: () => client.end() })
    return client
  }

  /** What the database itself says. */
  async query<R extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<R[]> {
    const client = new Client({ connectionString: this.url.href })
    await client.connect()
    try {
      return (await client.query<R>(sql, values)).rows
    } finally {
      await client.end()
    }
  }

  /** Ends the sessions of backends; `where` chooses among the rows of pg_stat_activity. */
  async terminate(where = 'true'): Promise<void> {
    await this.#admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid() and ${where}`,
      [this.url.pathname.slice(1)],
    )
  }

  /** Resolves when this many sessions match. */
  async sessions(count: number, where = 'true'): Promise<void> {
    for (;;) {
      const { rows } = await this.#admin.query(
        `select count(*)::integer as n from pg_stat_activity where datname = $1 and pid <> pg_backend_pid() and ${where}`,
        [this.url.pathname.slice(1)],
      )
      if (rows[0].n === count) return
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opened of this.#opened.reverse()) await opened.close()
    await this.#admin.query(`drop database ${this.url.pathname.slice(1)} with (force)`)
    await this.#admin.end()
  }
}
