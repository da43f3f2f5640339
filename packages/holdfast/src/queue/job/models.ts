import { type Model, resolveOwnModel, t, table } from '../../schema/index.ts'
import { schedules } from './schedule-model.ts'

/**
 * Live jobs: what is to be done and what is being done. Small and hot, so that taking a job stays cheap however many were finished. Their
 * states are finer than those that jobs show: see `StoredState`.
 *
 * ```
 *   enqueue ─┬▶ blocked ──(jobs before it ended)──┐
 *            ├▶ scheduled ──(dueAt comes)─────────┼─▶ waiting ──(taken)──▶ active ──▶ completed, failed, cancelled
 *            └────────────────────────────────────┘      ▲                  │
 *                  scheduled ◀───(failed, tried again)───┼──────────────────┤
 *                                                        └─(lease ran out)──┘
 * ```
 */
export const liveJobs: Model = resolveOwnModel(
  'holdfastJobs',
  table(
    {
      id: t.uuid().primaryKey(),
      queue: t.text(),
      state: t.enum(['blocked', 'scheduled', 'waiting', 'active']),
      /** True while it waits; else nothing, so that the index by which jobs are taken holds only those that can be. */
      ready: t.boolean().nullable(),
      /** The priority, negated, so that one ascending index gives the order of taking. */
      precedence: t.integer(),
      runAt: t.timestamp(),
      /** When a scheduled or blocked job may become ready, or when the lease of an active one ends; nothing while it waits. */
      dueAt: t.timestamp().nullable(),
      attempt: t.integer().default(0),
      maxAttempts: t.integer(),
      /** At most one live job of a queue has it. */
      key: t.text().nullable(),
      group: t.text().nullable(),
      /** Whether its group has let it through: then it has a place until it ends, also while it waits for another attempt. */
      admitted: t.boolean().default(false),
      /** How many jobs that it comes after have not ended. */
      blockers: t.integer().default(0),
      /** Whether somebody wants to know when it ends: jobs that come after it, or callers of `waitFor`. */
      awaited: t.boolean().default(false),
      /** Whether it has remembered steps. */
      stepped: t.boolean().default(false),
      /** Who holds the lease: different for every taking, so that nobody else can finish the job. */
      token: t.uuid().nullable(),
      data: t.json().nullable(),
      /** Which form the payload has: see `QueueOptions.version`. */
      version: t.integer().default(1),
      /** What was asked for this job alone: see `JobSettings`. */
      settings: t.json().nullable(),
      progress: t.json().nullable(),
      /** Nothing for none. */
      errors: t.json().nullable(),
      createdAt: t.timestamp(),
    },
    {
      indexes: [
        ['queue', 'ready', 'precedence', 'runAt', 'id'],
        ['queue', 'state', 'dueAt'],
        ['queue', 'group', 'state', 'precedence', 'runAt', 'id'],
      ],
      unique: [['queue', 'key']],
      sparse: ['ready', 'dueAt', 'group', 'key'],
      shortLived: true,
    },
  ),
)

/** Finished jobs, kept for `get`, `list` and `retry` until they are pruned or purged. */
export const finishedJobs: Model = resolveOwnModel(
  'holdfastFinishedJobs',
  table(
    {
      id: t.uuid().primaryKey(),
      queue: t.text(),
      state: t.enum(['completed', 'failed', 'cancelled']),
      precedence: t.integer(),
      runAt: t.timestamp(),
      attempt: t.integer(),
      maxAttempts: t.integer(),
      key: t.text().nullable(),
      group: t.text().nullable(),
      data: t.json().nullable(),
      version: t.integer().default(1),
      settings: t.json().nullable(),
      progress: t.json().nullable(),
      result: t.json().nullable(),
      errors: t.json().nullable(),
      createdAt: t.timestamp(),
      finishedAt: t.timestamp(),
    },
    { indexes: [['queue', 'state', 'finishedAt']] },
  ),
)

/** Which live job comes after which. */
export const links: Model = resolveOwnModel(
  'holdfastJobLinks',
  table(
    {
      after: t.uuid(),
      job: t.uuid(),
      /** What becomes of the job when the one before it fails or is cancelled. */
      onFailure: t.enum(['fail', 'run']),
    },
    { primaryKey: ['after', 'job'], indexes: ['job'], shortLived: true },
  ),
)

/** What the steps of live jobs came to. */
export const steps: Model = resolveOwnModel(
  'holdfastJobSteps',
  table(
    { job: t.uuid(), name: t.text(), result: t.json().nullable() },
    { primaryKey: ['job', 'name'], shortLived: true },
  ),
)

/**
 * A row for each queue that has limits or is paused (its group is empty), and for each group: locked by whoever lets jobs through, so that
 * no two do at once.
 */
export const gates: Model = resolveOwnModel(
  'holdfastGates',
  table(
    {
      queue: t.text(),
      group: t.text(),
      /** When somebody last locked it, by the database's clock. */
      seenAt: t.timestamp(),
      paused: t.boolean(),
      /** When that ends by itself; nothing where somebody is to end it. */
      pausedUntil: t.timestamp().nullable(),
      /** How many jobs of the group run at once. */
      limit: t.integer(),
      /** When the running window of the rate began, and how many jobs have begun in it. */
      windowAt: t.timestamp(),
      used: t.integer(),
    },
    { primaryKey: ['queue', 'group'] },
  ),
)

/** Keys that were used with a window: until then they stand for one job, finished or not. */
export const keyWindows: Model = resolveOwnModel(
  'holdfastJobKeys',
  table(
    { queue: t.text(), key: t.text(), job: t.uuid(), until: t.timestamp() },
    { primaryKey: ['queue', 'key'], indexes: ['until'] },
  ),
)

/** What is to be done once the transactions are committed that noted it: see `FollowUp`. */
export const followUps: Model = resolveOwnModel(
  'holdfastJobFollowUps',
  table(
    {
      id: t.id(),
      queue: t.text(),
      kind: t.enum(['group', 'end']),
      about: t.text(),
      state: t.enum(['completed', 'failed', 'cancelled']).nullable(),
      limit: t.integer().nullable(),
    },
    { shortLived: true },
  ),
)

/** Leases of jobs whose rows are left alone while transactions are open that will end them. */
export const leases: Model = resolveOwnModel(
  'holdfastJobLeases',
  table(
    { job: t.uuid().primaryKey(), token: t.uuid(), until: t.timestamp() },
    { indexes: ['until'], shortLived: true },
  ),
)

/** Workers that take jobs without leases, and until when they are there unless they say more. */
export const workers: Model = resolveOwnModel(
  'holdfastJobWorkers',
  table(
    { id: t.uuid().primaryKey(), queue: t.text(), until: t.timestamp() },
    { indexes: [['queue', 'until']], shortLived: true },
  ),
)

/** The tables of all queues. */
export const queueModels: readonly Model[] = [
  liveJobs,
  finishedJobs,
  schedules,
  links,
  steps,
  gates,
  keyWindows,
  followUps,
  leases,
  workers,
]
