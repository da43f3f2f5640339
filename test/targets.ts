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

const EMBEDDED = 'postgres'
/** Databases of the run's own server that are empty and that nobody uses. */
const emptied: string[] = []

/** Memory, a SQLite file, the Postgres of this run, and the one that TEST_POSTGRES_URL names. */
export const testBackends: readonly TestBackend[] = [
  { name: 'memory', fresh: async () => ({ target: 'memory:', drop: async () => undefined }) },
  { name: 'sqlite', fresh: freshFile },
  ...postgresServers().map(
    ([name, url]): TestBackend => ({
      name,
      // Those of the run's own server go with it, so they need not be dropped and are emptied instead, which takes a tenth of the time.
      fresh: name === EMBEDDED ? () => emptiedDatabase(url) : () => freshDatabase(url),
    }),
  ),
]

function postgresServers(): [string, string][] {
  const servers: [string, string | undefined][] = [
    [EMBEDDED, process.env['TEST_EMBEDDED_POSTGRES_URL']],
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

export async function freshDatabase(server: string): Promise<FreshTarget> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await runOn(server, `create database ${name}`)
  const target = new URL(server)
  target.pathname = `/${name}`
  return { target: target.href, drop: () => runOn(server, `drop database ${name} with (force)`) }
}

async function emptiedDatabase(server: string): Promise<FreshTarget> {
  const target = emptied.pop() ?? (await freshDatabase(server)).target
  return {
    target,
    drop: async () => {
      await runOn(
        target,
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid();
         drop schema public cascade;
         create schema public`,
      )
      emptied.push(target)
    },
  }
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
