import { findPgBouncer, PgBouncer } from './pgbouncer.ts'
import { PostgresServer } from './postgres-server.ts'

/**
 * Starts one real Postgres for the whole run, and names it in TEST_EMBEDDED_POSTGRES_URL. Every test file makes its own database in it. A
 * server of your own in TEST_POSTGRES_URL reaches the tests as it is.
 *
 * Where PgBouncer is installed, one is started before that server, and TEST_PGBOUNCER_URL names it unless it names one of yours;
 * TEST_PGBOUNCER_SERVER_URL is the server behind it.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const server = await PostgresServer.start({ max_connections: 200, shared_buffers: '128MB' })
  process.env['TEST_EMBEDDED_POSTGRES_URL'] = server.url
  const program = findPgBouncer()
  if (process.env['TEST_PGBOUNCER_URL'] || program === undefined) return () => server.remove()
  const pooler = await PgBouncer.start(program, server.url)
  process.env['TEST_PGBOUNCER_URL'] = pooler.url
  process.env['TEST_PGBOUNCER_SERVER_URL'] = server.url
  return async () => {
    await pooler.remove()
    await server.remove()
  }
}
