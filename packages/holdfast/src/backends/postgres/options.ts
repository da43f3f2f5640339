import { ConfigurationError } from '../../base/errors.ts'
import { assertConfiguration, type OptionRule, optionRules } from '../../schema/index.ts'
import type { ClientConfig } from './driver.ts'

/** How the Postgres backend is made. */
export interface PostgresOptions {
  /**
   * `postgres://user:password@host:5432/database`. `?sslmode=` means what it means to Postgres: `require` encrypts, `verify-full`
   * also checks who answers. Without it, and without the parts below, the environment counts: `PGHOST`, `PGUSER`, ….
   */
  readonly url?: string
  /** A host name, an address, or the folder of a Unix socket. This and the next four stand in for `url`. */
  readonly host?: string
  readonly port?: number
  readonly database?: string
  readonly user?: string
  /** A function is asked for each new connection, for tokens that expire. */
  readonly password?: string | (() => string | Promise<string>)
  /** Encrypts: true with a certificate that is checked, or the options of Node's `tls.connect`. */
  readonly ssl?: boolean | object
  /** The greatest number of connections; 10 unless given. A listening one comes on top. */
  readonly max?: number
  /** How long a connection stays open unused; 30 s unless given. */
  readonly idleTimeoutMs?: number
  /** How long it may take to connect, or to wait for a free connection; 10 s unless given. */
  readonly connectionTimeoutMs?: number
  /** How long the server may take to answer; then the connection is given up. 60 s unless given. */
  readonly queryTimeoutMs?: number
  /**
   * How long the server lets a statement run: its `statement_timeout`. Nine tenths of `queryTimeoutMs` unless given, or what the server
   * has been set to where that is less.
   */
  readonly statementTimeoutMs?: number
  /**
   * Whether statements are kept prepared on the server, and sessions have state; on unless given. Turn it off for PgBouncer in transaction
   * mode. Then wake-ups of other processes come by polling unless there is a `listenUrl`, and `statementTimeoutMs` holds inside transactions
   * only.
   */
  readonly prepare?: boolean
  /**
   * Where the one connection goes that hears the wake-ups of other processes: past a pooler in transaction mode, to the same database of the
   * server itself. Where the others go unless given, which with `prepare: false` would hear nothing, so there is none then.
   */
  readonly listenUrl?: string
  /** What the server's list of sessions shows; `holdfast` unless the URL says otherwise. */
  readonly applicationName?: string
}

/** The options with everything filled in. */
export interface Settings {
  readonly client: ClientConfig
  /** Of the connection that hears wake-ups; undefined where there is none. */
  readonly listeningClient: ClientConfig | undefined
  readonly max: number
  readonly idleTimeoutMs: number
  readonly connectionTimeoutMs: number
  readonly queryTimeoutMs: number
  readonly statementTimeoutMs: number
  /** Whether the server's own statement timeout stays where it is the shorter one. */
  readonly keepsShorterTimeout: boolean
  readonly prepare: boolean
}

/** How often an idle connection is probed by the operating system. */
const KEEP_ALIVE_MS = 10_000

const RULES: Readonly<Record<keyof PostgresOptions, OptionRule>> = {
  url: { ...optionRules.text, secret: true },
  host: optionRules.text,
  port: {
    holds: (value) => Number.isInteger(value) && (value as number) > 0 && (value as number) < 65_536,
    be: 'a port',
  },
  database: optionRules.text,
  user: optionRules.text,
  password: {
    holds: (value) => typeof value === 'string' || typeof value === 'function',
    be: 'text, or a function that gives it',
    secret: true,
  },
  ssl: {
    holds: (value) => typeof value === 'boolean' || (typeof value === 'object' && value !== null),
    be: 'true, false or the options of tls.connect',
    secret: true,
  },
  max: optionRules.atLeast(1),
  idleTimeoutMs: optionRules.timeoutMs,
  connectionTimeoutMs: optionRules.timeoutMs,
  queryTimeoutMs: optionRules.timeoutMs,
  // 0 means no limit, as it does to Postgres.
  statementTimeoutMs: optionRules.atLeast(0),
  prepare: optionRules.flag,
  listenUrl: { ...optionRules.text, secret: true },
  applicationName: optionRules.text,
}

/** @throws ConfigurationError for options that are unknown, have wrong values, or contradict each other. */
export function settingsOf(options: PostgresOptions): Settings {
  assertConfiguration<PostgresOptions>('The options of Postgres were refused', options, RULES)
  const {
    connectionTimeoutMs = 10_000,
    queryTimeoutMs = 60_000,
    statementTimeoutMs,
    prepare = true,
    listenUrl,
    ssl,
  } = options
  const connection = {
    fallback_application_name: options.applicationName ?? 'holdfast',
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    connectionTimeoutMillis: connectionTimeoutMs,
  }
  const client = { ...serverOf(options), ...connection }
  const past = { ...(listenUrl !== undefined && { url: listenUrl }), ...(ssl !== undefined && { ssl }) }
  const listening = listenUrl === undefined ? client : { ...serverOf(past), ...connection }
  return {
    client,
    listeningClient: prepare || listenUrl !== undefined ? listening : undefined,
    max: options.max ?? 10,
    idleTimeoutMs: options.idleTimeoutMs ?? 30_000,
    connectionTimeoutMs,
    queryTimeoutMs,
    statementTimeoutMs: statementTimeoutMs ?? Math.ceil(queryTimeoutMs * 0.9),
    keepsShorterTimeout: statementTimeoutMs === undefined,
    prepare,
  }
}

function serverOf({ url, host, port, database, user, password, ssl }: PostgresOptions): ClientConfig {
  const parts = {
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(database !== undefined && { database }),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
  }
  const encryption = ssl === undefined ? {} : { ssl }
  if (url === undefined) return { ...parts, ...encryption }
  if (!/^postgres(ql)?:/.test(url)) {
    throw new ConfigurationError('The URL of the Postgres server does not begin with postgres:.', {
      hint: 'Write it as postgres://user:password@host:5432/database.',
    })
  }
  assertEncoded(url)
  if (Object.keys(parts).length === 0) return { connectionString: withStandardModes(url), ...encryption }
  throw new ConfigurationError(`Postgres is given a url and also ${Object.keys(parts).join(', ')}.`, {
    hint: 'Put everything into the url, or leave the url out.',
  })
}

/**
 * A password with a sign that ends the part of a URL where it stands would be taken for a port, and the user for a host, which errors name.
 *
 * @throws ConfigurationError that does not repeat the URL.
 */
function assertEncoded(url: string): void {
  const [, authority = '', rest = ''] = /^postgres(?:ql)?:\/\/([^/?#]*)(.*)$/s.exec(url) ?? []
  if (authority.includes('@') || !authority.includes(':') || !rest.includes('@')) return
  throw new ConfigurationError('The URL of the Postgres server has an @ where no user can stand before it.', {
    hint: 'Write / ? # and @ in the user and the password as %2F %3F %23 and %40: encodeURIComponent does.',
  })
}

/** `pg` 8 has meanings of its own for `sslmode` unless it is asked for those of Postgres, which `pg` 9 will have. */
function withStandardModes(url: string): string {
  return /[?&]sslmode=/.test(url) && !url.includes('uselibpqcompat=') ? `${url}&uselibpqcompat=true` : url
}
