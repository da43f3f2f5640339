import { type Model, resolveOwnModel, t, table } from '../../schema/index.ts'

/** What becomes of ticks that came while nobody was there to see them. */
export type CatchUp = 'none' | 'last' | 'all'

/**
 * Schedules: each makes a job of its queue at every tick.
 *
 * The row is what makes a tick fire once: whoever moves `nextAt` on enqueues the jobs of the ticks it passes over, in the same
 * transaction. So there is no leader, and it matters to nobody how many processes look.
 */
export const schedules: Model = resolveOwnModel(
  'holdfastSchedules',
  table(
    {
      queue: t.text(),
      name: t.text(),
      /** Empty where it goes by an interval. */
      cron: t.text(),
      timezone: t.text(),
      /** The interval, and the tick from which the others are counted; nothing where it goes by a cron expression. */
      everyMs: t.integer().nullable(),
      since: t.timestamp().nullable(),
      /** The period in which it ticks, as far as it is bounded. */
      startsAt: t.timestamp().nullable(),
      endsAt: t.timestamp().nullable(),
      catchUp: t.enum(['none', 'last', 'all']),
      catchUpLimit: t.integer(),
      data: t.json().nullable(),
      /** Which form the payload has: see `QueueOptions.version`. */
      version: t.integer().default(1),
      /** What `enqueue` is given. */
      options: t.json(),
      /** Nothing once it is over. */
      nextAt: t.timestamp().nullable(),
      /** The last tick that was fired or passed over. */
      lastAt: t.timestamp().nullable(),
      /** When somebody last looked, by the database's clock: how the code learns that clock's time. */
      seenAt: t.timestamp(),
    },
    { primaryKey: ['queue', 'name'], indexes: [['queue', 'nextAt']] },
  ),
)
