import { isDeepStrictEqual } from 'node:util'
import type { CityStorage } from './schema.ts'
import type { Fetched, Source } from './sources/source.ts'

/** How many entries are compared and stored at a time. */
const BATCH = 200

/** What came of asking a source. */
export interface Ingested {
  readonly seen: number
  /** How many were new, or not as they were before. */
  readonly stored: number
  /** How many were listed before and are not any more. */
  readonly withdrawn: number
}

/** Asks a source for all that it lists and stores what is new or has changed, as it came, for the carpenter to build. */
export async function ingest(storage: CityStorage, source: Source, baseUrl: string): Promise<Ingested> {
  const seen: string[] = []
  let stored = 0
  let batch: Fetched[] = []
  const store = async () => {
    const entries = batch
    batch = []
    for (const { externalId } of entries) seen.push(externalId)
    if (entries.length > 0) stored += await storeChanged(storage, source.name, entries)
  }
  for await (const entry of source.fetchAll(baseUrl)) {
    batch.push(entry)
    if (batch.length === BATCH) await store()
  }
  await store()
  // Only now: a source that failed in the middle has not said what it no longer lists.
  return { seen: seen.length, stored, withdrawn: await withdraw(storage, source.name, seen) }
}

/** The raw entries and the job that will build them come to be together. */
function storeChanged(storage: CityStorage, source: string, fetched: readonly Fetched[]): Promise<number> {
  return storage.transaction(async (tx) => {
    const raw = tx.repository('raw')
    const externalIds = fetched.map(({ externalId }) => externalId)
    const known = await raw.find({ where: { source, externalId: { in: externalIds } } })
    const listed = known.filter(({ state }) => state !== 'withdrawn' && state !== 'gone')
    const before = new Map(listed.map(({ externalId, content }) => [externalId, content]))
    const changed = fetched.filter(({ externalId, content }) => !isDeepStrictEqual(before.get(externalId), content))
    for (const { externalId, content } of changed) {
      const entry = { content, state: 'new', fetchedAt: new Date() } as const
      await raw.upsert({ source, externalId, ...entry }, { on: ['source', 'externalId'], update: entry })
    }
    if (changed.length > 0) await tx.queue('build').enqueue({}, { key: 'build' })
    return changed.length
  })
}

function withdraw(storage: CityStorage, source: string, seen: readonly string[]): Promise<number> {
  return storage.transaction(async (tx) => {
    const missing = { source, externalId: { notIn: seen }, state: { notIn: ['withdrawn', 'gone'] } } as const
    const withdrawn = await tx.repository('raw').updateMany(missing, { state: 'withdrawn' })
    if (withdrawn > 0) await tx.queue('build').enqueue({}, { key: 'build' })
    return withdrawn
  })
}
