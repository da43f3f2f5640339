import { type Model, resolveOwnModel, t, table } from '../schema/index.ts'

/**
 * The second level of caches: one row an entry.
 *
 * A row without a value is a deleted entry, kept for a while so that a load that began before the deletion finds that it came too late; or,
 * fresh until some time, an entry that says that there is nothing. Rows that begin with `c:` and `t:` mark when a cache was cleared and
 * when a tag was invalidated. One row of no cache tells the last place that was given to a change.
 */
export const cacheEntries: Model = resolveOwnModel(
  'holdfastCache',
  table(
    {
      cache: t.text(),
      /** The key with its type, or its hash where it is long: see `key.ts`. */
      key: t.text(),
      /** The whole key, where `key` is a hash. */
      longKey: t.text().nullable(),
      /** JSON as text: it is only ever read whole, and so the order of members stays. */
      value: t.text().nullable(),
      /** Milliseconds since 1970. */
      freshUntil: t.integer(),
      keepUntil: t.integer(),
      /** Another number after every write of the row. */
      generation: t.integer(),
      /** The generation of the cache's `c:` row when this was written: after another clearing it counts for nothing. */
      epoch: t.integer(),
      /** The generations of the entry's tags when this was written: after another invalidation it counts for nothing. */
      marks: t.json<Record<string, number>>().nullable(),
      /** Who wrote it, so that nobody need be told of writes of its own. */
      writer: t.integer(),
      /** The place of the change among all; `UNPLACED` until somebody has seen it: see `change-order.ts`. */
      place: t.integer(),
    },
    { primaryKey: ['cache', 'key'], indexes: ['keepUntil', ['place', 'writer']] },
  ),
)
