import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import Database from 'better-sqlite3'
import type { Databases } from './databases.ts'

const PACKAGES = [
  'better-sqlite3',
  'pg',
  'kysely',
  'drizzle-orm',
  'typeorm',
  '@mikro-orm/core',
  'typescript',
  'graphile-worker',
  'pg-boss',
  'plainjob',
]

/** What the numbers were measured on and with, as sentences. */
export async function machine(databases: Databases): Promise<string[]> {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  const gigabytes = Math.round(totalmem() / 1024 ** 3)
  return [
    `${availableParallelism()} cores of ${model}, ${gigabytes} GB, ${type()} ${release()}`,
    `Node ${process.versions.node} (its own SQLite ${process.versions.sqlite}), SQLite ${sqliteVersion()} in better-sqlite3`,
    `Postgres ${await (await databases.postgres()).version()} on the same machine`,
    (await Promise.all(PACKAGES.map(async (name) => `${name} ${await versionOf(name)}`))).join(', '),
  ]
}

function sqliteVersion(): string {
  const database = new Database(':memory:')
  const { version } = database.prepare('select sqlite_version() as version').get() as { version: string }
  database.close()
  return version
}

/** Read from the folder, as not every package exports its package.json. */
async function versionOf(name: string): Promise<string> {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? []
  for (const folder of folders) {
    const text = await readFile(`${folder}/${name}/package.json`, 'utf8').catch(() => null)
    if (text !== null) return (JSON.parse(text) as { version: string }).version
  }
  return 'not installed'
}
