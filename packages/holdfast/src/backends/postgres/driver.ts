import { ConfigurationError } from '../../base/errors.ts'

/**
 * The parts of `pg` that are used here. They are written out so that nobody needs the types of `pg` to compile against ours, and
 * so that what we rely on can be seen in one place.
 */
export interface Driver {
  readonly Client: new (config: ClientConfig) => Client
  readonly Pool: new (config: PoolConfig) => Pool
}

/** How `pg` is told to connect. */
export interface ClientConfig {
  readonly connectionString?: string
  readonly host?: string
  readonly port?: number
  readonly database?: string
  readonly user?: string
  readonly password?: string | (() => string | Promise<string>)
  readonly ssl?: boolean | object
  readonly fallback_application_name?: string
  readonly keepAlive?: boolean
  readonly keepAliveInitialDelayMillis?: number
  readonly connectionTimeoutMillis?: number
}

/** How many connections `pg` keeps. */
export interface PoolConfig extends ClientConfig {
  readonly max: number
  readonly idleTimeoutMillis: number
}

/** One session with the server. */
export interface Client {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  /** The server's process; with the key it lets a statement be cancelled. */
  readonly processID: number | null
  readonly secretKey: number | null
  readonly connection: Wire
  connect(): Promise<unknown>
  end(): Promise<void>
  query(query: Submittable): unknown
  query(
    query: string | { readonly text: string; readonly values: readonly unknown[] },
  ): Promise<QueryResult | QueryResult[]>
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end', listener: () => void): unknown
  on(event: 'notification', listener: (message: { readonly payload?: string }) => void): unknown
}

/** What `pg` gives for a query of its own; for several statements in one text, a list. */
export interface QueryResult {
  readonly rows: Record<string, unknown>[]
  readonly rowCount: number | null
}

/** The pool of `pg`. */
export interface Pool {
  readonly totalCount: number
  readonly idleCount: number
  connect(done: (error: Error | undefined, client: Client | undefined, release: Release) => void): void
  on(event: 'error', listener: (error: Error) => void): unknown
  end(): Promise<void>
}

/** Gives a client back to its pool, or takes it out of it. */
export type Release = (destroy?: boolean) => void

/** What `pg` calls a connection: the messages of the protocol, one method each. */
export interface Wire {
  readonly stream: {
    readonly writable: boolean
    write(bytes: Uint8Array): boolean
    cork(): void
    uncork(): void
    destroy(): unknown
  }
  parse(message: { readonly name: string; readonly text: string }): void
  bind(message: { readonly statement: string; readonly values: readonly WireValue[] }): void
  execute(): void
  close(message: { readonly type: 'S'; readonly name: string }): void
  sync(): void
  on(event: 'readyForQuery', listener: (message: { readonly status: string }) => void): unknown
}

/** A value as the protocol has it: text, or bytes. */
export type WireValue = string | Buffer | null

/** What `Client.query` also takes: something that writes to the wire itself and hears of the answers. */
export interface Submittable {
  /** @returns an error where nothing was sent. */
  submit(wire: Wire): Error | null
  handleDataRow(message: { readonly fields: Cells }): void
  handleCommandComplete(message: { readonly text: string }): void
  handleReadyForQuery(): void
  /** The server's error, or that the connection is gone. */
  handleError(error: Error): void
}

/** The values of a row as text, null for null. */
export type Cells = readonly (string | null)[]

/**
 * Loads `pg`, which is installed only where Postgres is used.
 *
 * @throws ConfigurationError, code `MISSING_DRIVER`.
 */
export async function loadDriver(load: () => Promise<unknown> = () => import('pg')): Promise<Driver> {
  try {
    const { default: driver } = (await load()) as { readonly default: Driver }
    return driver
  } catch (cause) {
    if ((cause as { readonly code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new ConfigurationError('Postgres needs the package pg, which is not installed.', {
      code: 'MISSING_DRIVER',
      hint: 'Run: npm install pg',
      cause,
    })
  }
}
