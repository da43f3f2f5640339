/** Everything the server stores, declared once, for every backend. */
import {
  defineSchema,
  type GraphNode,
  type GraphTypesOf,
  graph,
  queue,
  type Row,
  type Storage,
  t,
  table,
} from 'holdfast'
import { z } from 'zod'

/** What the carpenter did to the graph. */
const Change = z.object({
  action: z.enum(['added', 'changed', 'removed', 'linked', 'unlinked', 'refused']),
  /** The id of the node, or of the raw entry that was refused. */
  subject: z.string(),
  /** What of it: the names that changed, the other end of the edge, the reason. */
  detail: z.string(),
})

/** Raw entries as their sources gave them, the city that is made of them, and the jobs that do it. */
export const schema = defineSchema({
  /** One row for each thing a source listed, as it came. */
  raw: table(
    {
      id: t.id(),
      source: t.text(),
      /** The source's own name for it. */
      externalId: t.text(),
      content: t.json<unknown>(),
      fetchedAt: t.timestamp(),
      /** `withdrawn`: its source no longer lists it; `gone`: and the carpenter has seen to that. */
      state: t.enum(['new', 'built', 'refused', 'withdrawn', 'gone']),
      /** The event that was made of it. */
      eventId: t.text().nullable(),
    },
    { unique: [['source', 'externalId']], indexes: [['state', 'id'], 'eventId'] },
  ),

  city: graph({
    nodes: {
      venue: z.object({ name: z.string(), address: z.string().optional() }),
      artist: z.object({ name: z.string() }),
      event: z.object({ title: z.string(), startsAt: z.iso.datetime() }),
      carpenter_run: z.object({
        state: z.enum(['running', 'finished']),
        built: z.number(),
        refused: z.number(),
      }),
      carpenter_record: Change,
    },
    relations: {
      hosts: { from: 'venue', to: 'event' },
      performs_at: { from: 'artist', to: 'event' },
      has_record: { from: 'carpenter_run', to: 'carpenter_record' },
    },
    indexes: ['data.startsAt'],
  }),

  /** Fetching one source. */
  ingest: queue<{ source: string }>({ maxAttempts: 3 }),
  /** Building what was fetched. */
  build: queue<Record<string, never>>({ maxAttempts: 5 }),
})

/** A storage with this schema, on whatever backend. */
export type CityStorage = Storage<typeof schema>
/** What a source listed, as it came. */
export type RawEntry = Row<typeof schema, 'raw'>
/** One thing the carpenter did. */
export type Change = z.infer<typeof Change>

type City = GraphTypesOf<typeof schema, 'city'>
/** A run of the carpenter. */
export type CarpenterRun = GraphNode<City, 'carpenter_run'>
