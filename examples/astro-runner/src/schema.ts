/** Everything the runner stores, declared once, for every backend. */
import { defineSchema, documents, queue, type Row, type Storage, t, table } from 'holdfast'
import type { Attempt } from './check.ts'
import { type Check, Plan } from './plan.ts'
import { standard } from './standard.ts'

/** The payload of a job: one check, with all it needs to run. */
export interface CheckJob {
  readonly executionId: string
  /** Its place in the plan, from 0. */
  readonly position: number
  readonly target: string
  readonly check: Check
}

/** Plans, their executions, the results of the checks, and the queue of checks to do. */
export const schema = defineSchema(
  {
    plans: documents({ schema: standard(Plan) }),

    executions: table(
      {
        id: t.id(),
        planId: t.text().references('plans', { onDelete: 'cascade' }),
        /** How many checks it has; how far it is follows from its results. */
        total: t.integer(),
        startedAt: t.timestamp().defaultNow(),
      },
      { indexes: [['planId', 'id']] },
    ),

    results: table(
      {
        executionId: t.text().references('executions', { onDelete: 'cascade' }),
        position: t.integer(),
        name: t.text(),
        outcome: t.enum(['passed', 'failed']),
        /** The HTTP status of the last attempt; null when there was no answer. */
        status: t.integer().nullable(),
        durationMs: t.real(),
        attempts: t.json<Attempt[]>(),
        finishedAt: t.timestamp().defaultNow(),
      },
      // The key makes a second result of the same check impossible.
      { primaryKey: ['executionId', 'position'], indexes: [['executionId', 'outcome', 'position']] },
    ),

    /** Attempts of a job are about us (a worker that died, a database that was away); those of a check are its `retries`. */
    checks: queue<CheckJob>({ maxAttempts: 10, deadLetter: 'lostChecks' }),

    /** Checks whose jobs failed for good, with why. */
    lostChecks: queue<{ readonly data: CheckJob; readonly errors: readonly { readonly message: string }[] }>(),
  },
  ({ one, many }) => ({
    executions: { plan: one('plans', 'planId'), results: many('results', 'executionId') },
  }),
)

/** A storage with this schema, on whatever backend. */
export type RunnerStorage = Storage<typeof schema>
/** One run of a plan. */
export type Execution = Row<typeof schema, 'executions'>
/** What came of one check of an execution. */
export type Result = Row<typeof schema, 'results'>
