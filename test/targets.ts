import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'

/** An empty database for one test. */
export interface FreshTarget {
  readonly target: string
  /** Removes it; the storages on it must be closed. */
  drop(): Promise<void>
}

/** A backend to test on, and how to get an empty database of it. */
export interface TestBackend {
  readonly name: string
  fresh(): Promise<FreshTarget>
}

/** Memory, a SQLite file, the Postgres of this run, and the one that TEST_POSTGRES_URL names. */
export const testBackends: readonly TestBackend[] = [
  { name: 'memory', fresh: async () => ({ target: 'memory:', drop: async () => undefined }) },
  { name: 'sqlite', fresh: freshFile },
  ...postgresServers().map(([name, url]): TestBackend => ({ name, fresh: () => freshDatabase(url) })),
]

function postgresServers(): [string, string][] {
  const servers: [string, string | undefined][] = [
    ['postgres', process.env['TEST_EMBEDDED_POSTGRES_URL']],
    ['postgres of TEST_POSTGRES_URL', process.env['TEST_POSTGRES_URL']],
  ]
  return servers.filter((server): server is [string, string] => server[1] !== undefined && server[1] !== '')
}

async function freshFile(): Promise<FreshTarget> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
  return {
    target: `sqlite:${join(folder, 'test.db')}`,
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function freshDatabase(server: string): Promise<FreshTarget> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await runOn(server, `create database ${name}`)
  const target = new URL(server)
  target.pathname = `/${name}`
  return { target: target.href, drop: () => runOn(server, `drop database ${name} with (force)`) }
}

async function runOn(server: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: server })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
