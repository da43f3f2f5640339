import { type Issue, ValidationError } from '../../base/errors.ts'
import { checkKnown, checkMs, checkWhole, describe } from '../../schema/index.ts'
import type { ManyMiddleware, Middleware } from './handler.ts'

/** How a worker works. */
export interface WorkOptions {
  /** How many handlers run at once; 1 unless given. */
  readonly concurrency?: number
  /** How many jobs are taken with one statement at most, while handlers are quick; as many as run at once, and at least 10, unless given. */
  readonly batch?: number
  /** How long a job is this worker's between two signs of life; 30 s unless given. Signs are given three times as often. */
  readonly leaseMs?: number
  /** How often it looks for jobs that it was not told of; 1 s unless given. */
  readonly pollMs?: number
  /**
   * `lease` (the default): a job is taken, run, and completed. `transaction`: a batch is taken, run and finished in one commit, which is
   * faster for many short jobs; after a conflict the whole batch runs again.
   */
  readonly mode?: 'lease' | 'transaction'
  /** What runs around every handler, the first one outermost. */
  readonly middleware?: readonly Middleware[]
  /** Told of what goes wrong outside of handlers, such as a database that is away. A process warning unless given. */
  readonly onError?: (error: unknown) => void
}

/** How a worker works whose handler takes many jobs. */
export interface WorkManyOptions extends Pick<WorkOptions, 'leaseMs' | 'pollMs' | 'onError'> {
  /**
   * `lease` (the default): jobs are taken, run, and completed. `transaction`: up to a batch is taken, handled with one call and finished in one
   * commit; after a conflict it is handled again.
   */
  readonly mode?: 'lease' | 'transaction'
  /** What runs around every call of the handler, the first one outermost. */
  readonly middleware?: readonly ManyMiddleware[]
  /** How many handlers run at once; 1 unless given. */
  readonly concurrency?: number
  /** How many jobs a handler is given at most; 100 unless given. */
  readonly batch?: number
  /** How long to wait for more when there are fewer; 0 unless given. Not in `transaction` mode, where nobody holds jobs while waiting. */
  readonly waitMs?: number
}

/** Options with everything filled in. */
export type WorkSettings = Required<Omit<WorkOptions, 'onError' | 'middleware'>> &
  Pick<WorkOptions, 'onError'> & {
    /** How long handlers of many jobs wait for more. */
    readonly waitMs: number
  }

const OPTIONS = ['concurrency', 'batch', 'leaseMs', 'pollMs', 'mode', 'middleware', 'onError']
const NUMBERS = ['concurrency', 'batch'] as const
const TIMES = ['leaseMs', 'pollMs'] as const
const MANY_OPTIONS = [...OPTIONS, 'waitMs']
const DEFAULT_MANY = 100
const DEFAULT_LEASE_MS = 30_000
const DEFAULT_POLL_MS = 1_000
const DEFAULT_BATCH = 10

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
  const { mode = 'lease', middleware = [], concurrency = 1, onError } = given
  if (mode !== 'lease' && mode !== 'transaction')
    issues.push({ path: 'mode', reason: `must be lease or transaction, got ${describe(mode)}` })
  if (!Array.isArray(middleware) || middleware.some((one) => typeof one !== 'function'))
    issues.push({ path: 'middleware', reason: 'must be a list of functions' })
  if (issues.length > 0) throw new ValidationError(`A worker of the queue ${queue} was refused`, issues)
  return {
    concurrency,
    batch: options.batch ?? Math.max(concurrency, DEFAULT_BATCH),
    leaseMs: options.leaseMs ?? DEFAULT_LEASE_MS,
    pollMs: options.pollMs ?? DEFAULT_POLL_MS,
    mode,
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
  const { waitMs = 0, batch = DEFAULT_MANY, ...others } = options ?? {}
  checkMs(waitMs, 0, 'waitMs', issues)
  if (others.mode === 'transaction' && waitMs !== 0)
    issues.push({ path: 'waitMs', reason: 'cannot be given in transaction mode, which takes what is there' })
  if (issues.length > 0) throw new ValidationError(`A worker of the queue ${queue} was refused`, issues)
  return { ...workSettings(queue, handler, { ...others, batch }), waitMs }
}
