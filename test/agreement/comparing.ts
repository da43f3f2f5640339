import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { sqlite } from '../../packages/holdfast/src/backends/sqlite/index.ts'
import { openStorage, type Schema, type Storage } from '../../packages/holdfast/src/index.ts'
import { testBackends } from '../targets.ts'

// biome-ignore lint/suspicious/noExplicitAny: what is asked is made up at random.
export type Any = any

/** Something done to a storage, whose outcome must be the same on every backend. */
export type Operation = (storage: Any) => Promise<unknown>

/** An operation that a counterexample shows by its name and what it was given. */
export function named(name: string, ...shown: unknown[]): (run: Operation) => Operation {
  return (run) => Object.assign(run, { [fc.toStringMethod]: () => `${name}(${fc.stringify(shown)})` })
}

/** What came of an operation, as far as backends must agree on it. */
export async function outcome(operation: Operation, storage: Any): Promise<unknown> {
  try {
    return { value: timeless(await operation(storage)) }
  } catch (error) {
    const { name, code, fields, message } = error as Record<string, unknown>
    // Of several unique indexes that a row breaks each database names another.
    return { name, code, ...(code !== 'CONFLICT_UNIQUE' && { fields }), ...(code === 'DRIVER' && { message }) }
  }
}

/** When a document was written differs. */
function timeless(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(timeless)
  if (typeof value !== 'object' || value === null || !('createdAt' in value)) return value
  return { ...value, createdAt: 'then', updatedAt: 'then' }
}

/** All pages of a query, each a list. */
export async function allPages(repository: Any, query: object): Promise<unknown[]> {
  const found: unknown[] = []
  for (let after: string | null | undefined; after !== null; ) {
    const page: { items: unknown[]; next: string | null } = await repository.page({
      ...query,
      ...(after !== undefined && { after }),
    })
    found.push(page.items)
    after = page.next
  }
  return found
}

/** An empty database, on which storages can be opened. */
export interface ComparedDatabase {
  open<S extends Schema>(schema: S): Promise<Storage<S>>
  /** Removes it; the storages on it must be closed. */
  drop(): Promise<void>
}

/** What is compared with memory: the other targets of the tests, and SQLite through its other driver. */
export const comparedDatabases: readonly { readonly name: string; fresh(): Promise<ComparedDatabase> }[] = [
  ...testBackends
    .filter(({ name }) => name !== 'memory')
    .map(({ name, fresh }) => ({
      name,
      fresh: async (): Promise<ComparedDatabase> => {
        const { target, drop } = await fresh()
        return { drop, open: (schema) => openStorage(target, { schema, durability: 'relaxed' }) }
      },
    })),
  {
    name: 'node:sqlite',
    fresh: async (): Promise<ComparedDatabase> => {
      const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
      const backend = sqlite({ path: join(folder, 'test.db'), driver: 'node:sqlite', durability: 'relaxed' })
      return {
        open: (schema) => openStorage(backend, { schema }),
        drop: async () => rmSync(folder, { recursive: true }),
      }
    },
  },
]
