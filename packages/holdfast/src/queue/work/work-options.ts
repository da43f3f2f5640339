import { type Issue, ValidationError } from '../../base/errors.ts'
import { checkKnown, checkMs, checkWhole, describe } from '../../schema/index.ts'
import { DEFAULT_LEASE_MS } from '../claim/leases.ts'
import type { ManyMiddleware, Middleware } from './handler.ts'

/** How a worker works. */
export interface WorkOptions {
  /** How many handlers run at once, or in `transaction` mode how many batches; 1 unless given. */
  readonly concurrency?: number
  /**
   * How many jobs are taken with one statement at most: as many as run at once, and at least 100, unless given. Fewer are taken where handlers
   * would not begin with them soon. In `transaction` mode how many share a transaction: 100 unless given.
   */
  readonly batch?: number
  /** How long a job is this worker's between two signs of life; 30 s unless given. Signs are given three times as often. */
  readonly leaseMs?: number
  /** How often it looks for jobs that it was not told of; 1 s unless given. */
  readonly pollMs?: number
  /**
   * `lease` (the default): each job has a transaction of its own. `transaction`: a batch is run and completed in one, the handlers one after the
   * other, each in a savepoint, which is faster for many short jobs that write; after a conflict the whole batch runs again.
   */
  readonly mode?: 'lease' | 'transaction'
  /**
   * With `mode: 'transaction'`, `false` takes the jobs of a batch in the transaction that runs and completes them, so that nothing is written for
   * the taking: about twice as many jobs a second. Their transaction is read committed then where the backend has that, and begins before
   * the first handler is called; to everybody else the jobs wait until it is committed, and wait again at once when its process dies.
   */
  readonly leases?: boolean
  /** What runs around every handler, the first one outermost. */
  readonly middleware?: readonly Middleware[]
  /** Told of what goes wrong outside of handlers, such as a database that is away. A process warning unless given. */
  readonly onError?: (error: unknown) => void
}

/** How a worker works whose handler takes many jobs. */
export interface WorkManyOptions extends Pick<WorkOptions, 'leaseMs' | 'pollMs' | 'onError'> {
  /** What runs around every call of the handler, the first one outermost. */
  readonly middleware?: readonly ManyMiddleware[]
  /** How many handlers run at once; 1 unless given. */
  readonly concurrency?: number
  /** How many jobs a handler is given at most; 100 unless given. */
  readonly batch?: number
  /** How long to wait for more when there are fewer; 0 unless given. */
  readonly waitMs?: number
}

/** Options with everything filled in. */
export type WorkSettings = Required<Omit<WorkOptions, 'onError' | 'middleware'>> &
  Pick<WorkOptions, 'onError'> & {
    /** How long handlers of many jobs wait for more. */
    readonly waitMs: number
  }

const SHARED_OPTIONS = ['concurrency', 'batch', 'leaseMs', 'pollMs', 'middleware', 'onError']
const OPTIONS = [...SHARED_OPTIONS, 'mode', 'leases']
const MANY_OPTIONS = [...SHARED_OPTIONS, 'waitMs']
const NUMBERS = ['concurrency', 'batch'] as const
const TIMES = ['leaseMs', 'pollMs'] as const
const DEFAULT_BATCH = 100
const DEFAULT_POLL_MS = 1_000

/**
 * Checks the options of a worker and fills in the rest.
 *
 * @throws ValidationError naming everything that is wrong.
 */
export function workSettings(
  queue: string,
  handler: unknown,
  options: Omit<WorkOptions, 'middleware'> & { readonly middleware?: unknown },
): WorkSettings {
  const issues: Issue[] = []
  if (typeof handler !== 'function')
    issues.push({ path: 'handler', reason: `must be a function, got ${describe(handler)}` })
  checkKnown(options, OPTIONS, '', issues)
  const given = options ?? {}
  for (const name of NUMBERS) if (given[name] !== undefined) checkWhole(given[name], 1, name, issues)
  for (const name of TIMES) if (given[name] !== undefined) checkMs(given[name], 1, name, issues)
  const { mode = 'lease', leases = true, middleware = [], concurrency = 1, onError } = given
  if (mode !== 'lease' && mode !== 'transaction')
    issues.push({ path: 'mode', reason: `must be lease or transaction, got ${describe(mode)}` })
  if (typeof leases !== 'boolean')
    issues.push({ path: 'leases', reason: `must be true or false, got ${describe(leases)}` })
  else if (!leases && mode !== 'transaction')
    issues.push({
      path: 'leases',
      reason: "can only be false with mode: 'transaction', whose transaction then holds the jobs",
    })
  if (!Array.isArray(middleware) || middleware.some((one) => typeof one !== 'function'))
    issues.push({ path: 'middleware', reason: 'must be a list of functions' })
  if (issues.length > 0) throw new ValidationError(`A worker of the queue ${queue} was refused`, issues)
  return {
    concurrency,
    batch: options.batch ?? (mode === 'transaction' ? DEFAULT_BATCH : Math.max(concurrency, DEFAULT_BATCH)),
    leaseMs: options.leaseMs ?? DEFAULT_LEASE_MS,
    pollMs: options.pollMs ?? DEFAULT_POLL_MS,
    mode,
    leases,
    waitMs: 0,
    ...(onError !== undefined && { onError }),
  }
}

/**
 * Checks the options of a worker whose handler takes many jobs, and fills in the rest.
 *
 * @throws ValidationError naming everything that is wrong.
 */
export function workManySettings(queue: string, handler: unknown, options: WorkManyOptions): WorkSettings {
  const issues: Issue[] = []
  checkKnown(options, MANY_OPTIONS, '', issues)
  const { waitMs = 0, batch = DEFAULT_BATCH, ...others } = options ?? {}
  checkMs(waitMs, 0, 'waitMs', issues)
  if (issues.length > 0) throw new ValidationError(`A worker of the queue ${queue} was refused`, issues)
  return { ...workSettings(queue, handler, { ...others, batch }), waitMs }
}
