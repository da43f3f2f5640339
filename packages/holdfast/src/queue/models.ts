import { type Model, resolveModel, t, table } from '../schema/index.ts'
import { schedules } from './schedule-model.ts'

/** Where a job stands. The first three are in the table of live jobs, the others in that of finished ones. */
export type JobState = 'scheduled' | 'waiting' | 'active' | 'completed' | 'failed' | 'cancelled'

/**
 * Live jobs: what is to be done and what is being done. Small and hot, so that taking a job stays cheap however many were finished.
 *
 * ```
 *   enqueue ──▶ scheduled ──(dueAt comes)──▶ waiting ──(taken)──▶ active ──▶ completed, failed, cancelled
 *                    ▲                          ▲                   │
 *                    └────(failed, tried again)─┼───────────────────┤
 *                                               └──(lease ran out)──┘
 * ```
 */
export const liveJobs: Model = resolveModel(
  'holdfastJobs',
  table(
    {
      id: t.id(),
      queue: t.text(),
      state: t.enum(['scheduled', 'waiting', 'active']),
      /** The priority, negated, so that one ascending index gives the order of taking. */
      precedence: t.integer(),
      runAt: t.timestamp(),
      /** When a scheduled job becomes ready, or when the lease of an active one ends. */
      dueAt: t.timestamp(),
      attempt: t.integer(),
      maxAttempts: t.integer(),
      /** At most one live job of a queue has it. */
      key: t.text().nullable(),
      /** Who holds the lease: different for every taking, so that nobody else can finish the job. */
      token: t.text().nullable(),
      data: t.json().nullable(),
      progress: t.json().nullable(),
      errors: t.json(),
      createdAt: t.timestamp(),
    },
    {
      indexes: [
        ['queue', 'state', 'precedence', 'runAt', 'id'],
        ['queue', 'state', 'dueAt'],
      ],
      unique: [['queue', 'key']],
    },
  ),
)

/** Finished jobs, kept for `get`, `list` and `retry` until `purge`. */
export const finishedJobs: Model = resolveModel(
  'holdfastFinishedJobs',
  table(
    {
      id: t.id(),
      queue: t.text(),
      state: t.enum(['completed', 'failed', 'cancelled']),
      precedence: t.integer(),
      runAt: t.timestamp(),
      attempt: t.integer(),
      maxAttempts: t.integer(),
      key: t.text().nullable(),
      data: t.json().nullable(),
      progress: t.json().nullable(),
      result: t.json().nullable(),
      errors: t.json(),
      createdAt: t.timestamp(),
      finishedAt: t.timestamp(),
    },
    { indexes: [['queue', 'state', 'finishedAt']] },
  ),
)

/** The tables of all queues. */
export const queueModels: readonly Model[] = [liveJobs, finishedJobs, schedules]
