import { ConfigurationError } from '../../base/errors.ts'
import type { Models } from '../../schema/index.ts'
import { Autocommit } from './autocommit.ts'
import { Commands } from './commands.ts'
import { type Client, type ClientConfig, type Driver, loadDriver } from './driver.ts'
import type { Subject } from './errors.ts'
import { Gatherer } from './gatherer.ts'
import { Listener } from './listener.ts'
import { Notifier } from './notifier.ts'
import type { Settings } from './options.ts'
import { Outcomes } from './outcomes.ts'
import { LinkPool } from './pool.ts'
import { CHANNEL } from './topics.ts'
import { Transactions } from './transactions.ts'
import { Vacuum } from './vacuum.ts'
import { arrayLiteral } from './wire-values.ts'

/** What an open backend is made of. */
export interface Parts {
  readonly pool: LinkPool
  readonly autocommit: Autocommit
  readonly gatherer: Gatherer
  readonly transactions: Transactions
  readonly listener: Listener
  readonly notifier: Notifier
  readonly vacuum: Vacuum
}

/**
 * Loads the driver and puts the parts together; connects to nothing yet.
 *
 * @throws ConfigurationError for a URL that cannot be read, or a driver that is not installed.
 */
export async function makeParts(settings: Settings, models: Models): Promise<Parts> {
  const driver = await loadDriver()
  const { client, listeningClient, prepare, queryTimeoutMs, statementTimeoutMs } = settings
  const subject: Subject = { server: serverName(driver, client), statementTimeoutMs, models }
  const pool = new LinkPool(driver, settings, subject)
  const autocommit = new Autocommit(pool, subject)
  const commands = new Commands(prepare)
  const timeout = commands.request(`select set_config('statement_timeout', '${statementTimeoutMs}', true)`)
  const context = { subject, commands, afterBegin: prepare ? [] : [timeout] }
  return {
    pool,
    autocommit,
    gatherer: new Gatherer(pool, autocommit, commands),
    transactions: new Transactions(pool, context, new Outcomes(autocommit, queryTimeoutMs)),
    listener: new Listener(listeningClient && listeningFrom(driver, listeningClient)),
    vacuum: new Vacuum(pool),
    notifier: new Notifier(async (payloads) => {
      const values = [CHANNEL, arrayLiteral(payloads)]
      await autocommit.ask('select pg_notify($1, payload) from unnest($2::text[]) as payload', values)
    }),
  }
}

/** @throws ConfigurationError for a URL that cannot be read, which would else be tried for ever. */
function listeningFrom(driver: Driver, config: ClientConfig): () => Client {
  serverName(driver, config)
  return () => new driver.Client(config)
}

/** What the server is called in errors: all but the password. */
function serverName(driver: Driver, config: ClientConfig): string {
  try {
    const { host, port, database, user } = new driver.Client(config)
    return `Postgres at ${host}:${port}, database ${database}, user ${user},`
  } catch (error) {
    // Without its cause, which may hold the URL.
    throw new ConfigurationError(`The Postgres URL cannot be used: ${(error as Error).message}.`, {
      hint: 'Write it as postgres://user:password@host:5432/database, with special characters percent-encoded.',
    })
  }
}
