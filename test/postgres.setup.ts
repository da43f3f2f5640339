import { PostgresServer } from './postgres-server.ts'

/**
 * Starts one real Postgres for the whole run, and names it in TEST_EMBEDDED_POSTGRES_URL. Every test file makes its own database in it. A
 * server of your own in TEST_POSTGRES_URL reaches the tests as it is.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const server = await PostgresServer.start({ max_connections: 200, shared_buffers: '128MB' })
  process.env['TEST_EMBEDDED_POSTGRES_URL'] = server.url
  return () => server.remove()
}
