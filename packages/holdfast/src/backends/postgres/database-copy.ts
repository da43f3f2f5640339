import { randomUUID } from 'node:crypto'
import type { BackendFactory, DatabaseCopy } from '../../backend/index.ts'
import { type Client, type ClientConfig, loadDriver } from './driver.ts'
import { translateConnectError, translateError } from './errors.ts'
import { isServerError } from './exchange.ts'
import type { Settings } from './options.ts'

/** Others are connected to the database that should be copied. */
const IN_USE = '55006'

/** Copies a database on its server where nobody else is connected; else the copy is empty. The original is only read. */
export async function copyDatabase(
  settings: Settings,
  make: (settings: Settings) => BackendFactory,
): Promise<DatabaseCopy> {
  const name = `holdfast_copy_${randomUUID().replaceAll('-', '')}`
  const filled = await within(settings, async (client) => {
    try {
      await client.query(`create database ${name} template ${quoted(client.database)}`)
      return true
    } catch (error) {
      if (!isServerError(error) || error.code !== IN_USE) throw error
      await client.query(`create database ${name}`)
      return false
    }
  })
  return {
    backend: make({ ...settings, client: withDatabase(settings.client, name), listeningClient: undefined }),
    filled,
    remove: () =>
      within(settings, async (client) => void (await client.query(`drop database if exists ${name} with (force)`))),
  }
}

async function within<T>(settings: Settings, work: (client: Client) => Promise<T>): Promise<T> {
  const { Client } = await loadDriver()
  const client = new Client(settings.client)
  const { statementTimeoutMs } = settings
  const subject = { server: 'Postgres', statementTimeoutMs, models: new Map() }
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch (error) {
    throw translateConnectError(error, subject)
  }
  try {
    return await work(client)
  } catch (error) {
    throw translateError(error, subject)
  } finally {
    await client.end()
  }
}

function withDatabase({ connectionString, ...config }: ClientConfig, database: string): ClientConfig {
  if (connectionString === undefined) return { ...config, database }
  const url = new URL(connectionString)
  url.pathname = `/${database}`
  return { ...config, connectionString: url.href }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
