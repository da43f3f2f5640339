import type { Transaction } from 'holdfast'
import { eventIdOf, type Listing } from './listing.ts'
import type { CarpenterRun, Change, CityStorage, RawEntry, schema } from './schema.ts'
import { sources } from './sources/index.ts'
import { Workpiece } from './workpiece.ts'

type Tx = Transaction<typeof schema>

/** How many raw entries one transaction builds. */
const BATCH = 50

/**
 * Builds the city of all raw entries that are new or withdrawn, and puts the run and each of its changes on record. A batch and its records are one
 * transaction: if the process dies, the next run goes on where the last batch ended.
 */
export async function build(storage: CityStorage): Promise<CarpenterRun> {
  const city = storage.graph('city')
  const { id } = await city.addNode('carpenter_run', { state: 'running', built: 0, refused: 0 })
  const sum = { built: 0, refused: 0 }
  for (;;) {
    const { entries, built, refused } = await storage.transaction((tx) => buildBatch(tx, id))
    if (entries === 0) break
    sum.built += built
    sum.refused += refused
  }
  return city.updateNode<'carpenter_run'>(id, { state: 'finished', ...sum })
}

interface Batch {
  readonly entries: number
  readonly built: number
  readonly refused: number
}

async function buildBatch(tx: Tx, runId: string): Promise<Batch> {
  const where = { state: { in: ['new', 'withdrawn'] } } as const
  const entries = await tx.repository('raw').find({ where, orderBy: { id: 'asc' }, limit: BATCH })
  const changes: Change[] = []
  const listings = new Map<RawEntry, Listing>()
  for (const entry of entries.filter(({ state }) => state === 'new')) {
    const listing = readEntry(entry)
    if (typeof listing === 'string') changes.push({ action: 'refused', subject: entry.id, detail: listing })
    else listings.set(entry, listing)
  }
  const before = await markEntries(tx, entries, listings)
  const eventIds = new Set([...before, ...[...listings.values()].map(eventIdOf)])
  if (eventIds.size > 0) changes.push(...(await rebuild(tx, [...eventIds])))
  await putOnRecord(tx, runId, changes)
  const refused = changes.filter(({ action }) => action === 'refused').length
  return { entries: entries.length, built: listings.size, refused }
}

/** The listing, or why there is none. */
function readEntry({ source, content }: RawEntry): Listing | string {
  try {
    return sources.get(source)?.read(content) ?? `there is no source ${source} any more`
  } catch (error) {
    return `${source} lists what cannot be read: ${(error as Error).message}`
  }
}

/** Writes down which event each entry makes now, and gives the events that they made before. */
async function markEntries(
  tx: Tx,
  entries: readonly RawEntry[],
  listings: ReadonlyMap<RawEntry, Listing>,
): Promise<string[]> {
  for (const entry of entries) {
    const listing = listings.get(entry)
    const made = listing === undefined ? null : eventIdOf(listing)
    const unread = entry.state === 'withdrawn' ? 'gone' : 'refused'
    await tx.repository('raw').update(entry.id, { state: made === null ? unread : 'built', eventId: made })
  }
  return entries.map(({ eventId }) => eventId).filter((eventId) => eventId !== null)
}

/** Makes events what all the entries that list them say; an event that nobody lists any more is taken away. */
async function rebuild(tx: Tx, eventIds: readonly string[]): Promise<Change[]> {
  const entries = await tx.repository('raw').find({ where: { state: 'built', eventId: { in: eventIds } } })
  const order = [...sources.keys()]
  const inOrder = entries.toSorted((a, b) => order.indexOf(a.source) - order.indexOf(b.source))
  const work = new Workpiece(eventIds)
  for (const entry of inOrder) work.add(readEntry(entry) as Listing)
  return work.fit(tx.graph('city'))
}

/** A record for each change, and the edges from the run to them. */
async function putOnRecord(tx: Tx, runId: string, changes: readonly Change[]): Promise<void> {
  const city = tx.graph('city')
  const records = await city.addNodes(
    'carpenter_record',
    changes.map((data) => ({ data })),
  )
  await city.connectMany(records.map(({ id }) => ({ source: runId, relation: 'has_record', target: id })))
}
