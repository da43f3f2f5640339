import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeConformance } from '../../../../../test/conformance.ts'
import { type SqliteOptions, sqlite } from '../../backends/sqlite/index.ts'
import type { TestDatabase } from './index.ts'

async function newFile(options: Omit<SqliteOptions, 'path'>): Promise<TestDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-conformance-'))
  return {
    backend: sqlite({ path: join(folder, 'test.db'), ...options }),
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

// What commits promise beside safety from a loss of power must hold with either durability; here each driver has one.
describeConformance('sqlite through better-sqlite3', () => newFile({ driver: 'better-sqlite3' }))
describeConformance('sqlite through node:sqlite', () => newFile({ driver: 'node:sqlite', durability: 'relaxed' }))

const oneConnection = 'a database in memory has one connection, so others wait while a transaction is open'
describeConformance(
  'sqlite in memory',
  async () => ({ backend: sqlite({ path: ':memory:' }), remove: async () => undefined }),
  {
    skip: {
      'transactions/not-seen-before': oneConnection,
      'transactions/read-only': oneConnection,
      'misuse/meanwhile': oneConnection,
    },
  },
)
