import { ConfigurationError } from '../../base/errors.ts'
import type { Link } from './link.ts'
import type { Settings } from './options.ts'
import { SERVER_RUN } from './server-run.ts'

/** The oldest server that has everything used here. */
const OLDEST_VERSION = 14

/**
 * Makes a new session read and write values as they are decoded and encoded here, in one round trip.
 *
 * A session behind a pooler in transaction mode is many sessions of the server. Poolers keep `TimeZone` and `DateStyle` for each of
 * their clients; the rest would stay behind for others, so there it is only looked at.
 *
 * @throws ConfigurationError for a server that is too old, or that writes values in another way; the driver's error when the session fails.
 */
export async function setUpSession(link: Link, settings: Settings): Promise<void> {
  const { result, failure } = await link.raw(settings.prepare ? ownSession(settings) : SHARED_SESSION, [])
  if (failure !== undefined) throw failure.error
  const [row] = result.rows
  const version = Math.floor(Number(row?.['version']) / 10_000)
  if (version < OLDEST_VERSION) {
    throw new ConfigurationError(`The server is Postgres ${version}, which is too old.`, {
      hint: `Use Postgres ${OLDEST_VERSION} or newer.`,
    })
  }
  if (row?.['bytes'] !== 'hex' || Number(row['digits']) < 1) {
    throw new ConfigurationError('The server writes bytes or numbers in an old form that loses values.', {
      hint: 'Set bytea_output to hex and extra_float_digits to 1 for the role or the database.',
    })
  }
  link.serverRun = String(row['run'])
}

const SHARED_SESSION = `select current_setting('server_version_num') as version, ${SERVER_RUN} as run, set_config('TimeZone', 'UTC', false),
  set_config('DateStyle', 'ISO', false), current_setting('bytea_output') as bytes, current_setting('extra_float_digits') as digits`

/**
 * The server finds out within a minute that a client is gone and frees its locks, and looks for deadlocks sooner than after the one
 * second of its default, which only a superuser may change.
 */
function ownSession({ statementTimeoutMs, keepsShorterTimeout }: Settings): string {
  const timeout = keepsShorterTimeout
    ? `(select case when setting::bigint between 1 and ${statementTimeoutMs} then setting else '${statementTimeoutMs}' end
        from pg_settings where name = 'statement_timeout')`
    : `'${statementTimeoutMs}'`
  return `select current_setting('server_version_num') as version, ${SERVER_RUN} as run, set_config('TimeZone', 'UTC', false),
    set_config('DateStyle', 'ISO', false), set_config('bytea_output', 'hex', false) as bytes,
    set_config('extra_float_digits', '1', false) as digits, set_config('statement_timeout', ${timeout}, false),
    set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false),
    set_config('tcp_keepalives_count', '3', false),
    case when current_setting('is_superuser') = 'on' then set_config('deadlock_timeout', '100ms', false) end`
}
