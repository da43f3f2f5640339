import { build } from './carpenter.ts'
import { ingest } from './ingest.ts'
import type { CityStorage } from './schema.ts'
import { sources } from './sources/index.ts'
import type { Source } from './sources/source.ts'

/** Every quarter of an hour. */
const OFTEN = '*/15 * * * *'

/** Asks for every source to be fetched now. One that is waiting already is not asked for twice. */
export async function askForAll(storage: CityStorage): Promise<void> {
  for (const source of sources.keys()) await storage.queue('ingest').enqueue({ source }, { key: source })
}

/** Starts the ingesters and the carpenter, and has every source fetched often. They stop when the storage is closed. */
export async function startWork(storage: CityStorage, baseUrl: string): Promise<void> {
  storage
    .queue('ingest')
    .work(async ({ data }) => ({ ...(await ingest(storage, sources.get(data.source) as Source, baseUrl)) }), {
      concurrency: sources.size,
    })
  // One at a time: two carpenters would only wait for each other.
  storage.queue('build').work(async () => ({ run: (await build(storage)).id }), { concurrency: 1 })
  for (const source of sources.keys())
    await storage.queue('ingest').schedule(source, OFTEN, { source }, { key: source })
}
