import type { Traits } from '../../backend/index.ts'
import { openStorage } from '../../storage/index.ts'
import type { ConformanceCase, ConformanceContext, NewDatabase, TestDatabase } from './case.ts'

/** How one case went. */
export type ConformanceResult =
  | { readonly id: string; readonly title: string; readonly outcome: 'pass' }
  | { readonly id: string; readonly title: string; readonly outcome: 'fail'; readonly error: unknown }
  | { readonly id: string; readonly title: string; readonly outcome: 'skip'; readonly reason: string }

/** How cases are run. */
export interface ConformanceOptions {
  /** How long one case may take; 30 s unless given. */
  readonly timeoutMs?: number
  /** Cases that are not run, by their ids, each with the reason. */
  readonly skip?: Readonly<Record<string, string>>
}

const DEFAULT_TIMEOUT_MS = 30_000

/** Runs one case on a database of its own. Never rejects: what goes wrong, with the database too, is a failure of the case. */
export async function runCase(
  { id, title, needs = [], run }: ConformanceCase,
  newDatabase: NewDatabase,
  { timeoutMs = DEFAULT_TIMEOUT_MS, skip = {} }: ConformanceOptions = {},
): Promise<ConformanceResult> {
  const reason = Object.hasOwn(skip, id) ? skip[id] : undefined
  if (reason !== undefined) return { id, title, outcome: 'skip', reason }
  try {
    const database = await newDatabase()
    const opened: { close(): Promise<void> }[] = []
    try {
      const { traits } = database.backend({ models: new Map() })
      const missing = needs.filter((trait) => traits[trait] === undefined || traits[trait] === false)
      if (missing.length > 0) return { id, title, outcome: 'skip', reason: `the backend is not ${missing.join(', ')}` }
      await within(timeoutMs, run(contextOf(database, traits, opened)))
      await within(timeoutMs, closeAll(opened))
      return { id, title, outcome: 'pass' }
    } finally {
      await Promise.race([closeAll(opened), afterMs(1_000)])
      await database.remove()
    }
  } catch (error) {
    return { id, title, outcome: 'fail', error }
  }
}

function contextOf(database: TestDatabase, traits: Traits, opened: { close(): Promise<void> }[]): ConformanceContext {
  return {
    traits,
    async open(schema, options = {}) {
      const storage = await openStorage(database.backend, { autoCreate: true, ...options, schema })
      opened.push(storage)
      return storage
    },
  }
}

async function closeAll(opened: readonly { close(): Promise<void> }[]): Promise<void> {
  await Promise.all(opened.map((storage) => storage.close()))
}

async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`The case took longer than ${timeoutMs} ms`)), timeoutMs)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

function afterMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
