import { type Issue, ValidationError } from '../../base/errors.ts'
import { newId } from '../../base/ids.ts'
import {
  acceptorOf,
  type Backoff,
  checkBackoff,
  checkKnown,
  checkMs,
  checkName,
  checkWhole,
  describe,
  isStorableText,
  type QueueDeclaration,
  unreadable,
} from '../../schema/index.ts'
import type { Job, JobSettings } from './job.ts'
import { acceptPayload, UNVERSIONED, versionOf } from './payload.ts'
import { acceptTags } from './tags.ts'

/** When and how a job runs. */
export interface EnqueueOptions {
  /** Not before this time. */
  readonly runAt?: Date
  /** Not before so many milliseconds from now, by the database's clock. */
  readonly delayMs?: number
  /** Higher runs first; 0 unless given. */
  readonly priority?: number
  /** While a live job of the queue has this key, no other is added; `onDuplicate` says what happens instead. */
  readonly key?: string
  /**
   * With a key: `ignore` (the default) gives the job that has it; `replace` puts this one in its place unless it runs already, and then adds
   * it; `debounce` does so too, and counts `windowMs` anew, so that the job runs when nothing was enqueued for that long.
   */
  readonly onDuplicate?: 'ignore' | 'replace' | 'debounce'
  /** With a key: with `ignore`, for how long after it was added no other job with it is added, even when it has finished. See `debounce` too. */
  readonly windowMs?: number
  /** How often it is tried; the queue's own unless given. */
  readonly maxAttempts?: number
  /** The pauses between its attempts; the queue's own for what is not given. */
  readonly backoff?: Backoff
  /** How long an attempt may take; the queue's own unless given. */
  readonly timeoutMs?: number
  /**
   * Within how long of its `runAt` its first attempt must begin; the queue's own unless given. A job that is taken later than that has failed,
   * with that among its errors, and its handler is not called.
   */
  readonly startWithinMs?: number
  /** Jobs of one group run one after the other, in the order of taking, or as many at once as the queue's `groupConcurrency`. */
  readonly group?: string
  /** Words to find it by, where jobs are listed, cancelled, queued again and forgotten. They mean nothing to those who do the jobs. */
  readonly tags?: readonly string[]
  /** Jobs, of any queue, that must have completed before this one runs. */
  readonly after?: readonly (Pick<Job, 'id'> | string)[]
  /** When a job of `after` fails or is cancelled: `fail` (the default) makes this one fail too, `run` lets it run. */
  readonly onFailure?: 'fail' | 'run'
}

/** Checks a moment, and gives it as databases have it. */
export const acceptTime: ReturnType<typeof acceptorOf> = acceptorOf({ type: 'timestamp' })
const DEBOUNCED = 'cannot be given with onDuplicate: debounce, where windowMs says when the job runs'
const OPTIONS = [
  'runAt',
  'delayMs',
  'priority',
  'key',
  'onDuplicate',
  'windowMs',
  'maxAttempts',
  'backoff',
  'timeoutMs',
  'startWithinMs',
  'group',
  'tags',
  'after',
  'onFailure',
]
const DEFAULT_MAX_ATTEMPTS = 5

/** A job to be added. */
export interface Entry {
  readonly data: unknown
  readonly options: object
  /** Where it is among the arguments, for what is refused. */
  readonly path: string
  /** Its `runAt` is known to have come, so it need not wait to be found due. */
  readonly due?: boolean
}

/** A job that was checked. */
export interface NewJob {
  readonly id: string
  readonly data: unknown
  readonly version: number
  readonly precedence: number
  readonly maxAttempts: number
  readonly settings: JobSettings | null
  readonly key: string | null
  readonly onDuplicate: NonNullable<EnqueueOptions['onDuplicate']>
  readonly windowMs: number | null
  readonly group: string | null
  readonly after: readonly string[]
  readonly onFailure: 'fail' | 'run'
  /** When it runs: a time, or so many milliseconds from now. */
  readonly when: { readonly at: Date } | { readonly inMs: number }
  /** Whether it need not wait. */
  readonly due: boolean
}

/**
 * Checks jobs.
 *
 * @throws ValidationError naming everything that is wrong.
 */
export function acceptJobs(
  queue: string,
  declaration: QueueDeclaration | undefined,
  entries: readonly Entry[],
): NewJob[] {
  const issues: Issue[] = []
  try {
    const jobs = entries.map((entry) => acceptJob(declaration, entry, issues))
    if (issues.length === 0) return jobs
  } catch (error) {
    const given = entries.flatMap(({ path, data, options }) => [
      [path === '' ? 'data' : `${path}.data`, data],
      [path, options],
    ])
    throw unreadable(error, `A job of ${queue} was refused`, Object.fromEntries(given))
  }
  throw new ValidationError(`A job of ${queue} was refused`, issues)
}

/** Checks a job; what is wrong is added to `issues`. */
export function acceptJob(
  declaration: QueueDeclaration | undefined,
  { data, options, path, due = false }: Entry,
  issues: Issue[],
): NewJob {
  const prefix = path === '' ? '' : `${path}.`
  checkKnown(options, OPTIONS, prefix, issues)
  const given = (options ?? {}) as EnqueueOptions
  const { runAt, delayMs = 0, priority = 0 } = given
  checkTimes(given, prefix, issues)
  if (!Number.isSafeInteger(priority))
    issues.push({ path: `${prefix}priority`, reason: `must be a safe integer, got ${describe(priority)}` })
  const maxAttempts = given.maxAttempts ?? declaration?.options.maxAttempts ?? DEFAULT_MAX_ATTEMPTS
  checkWhole(maxAttempts, 1, `${prefix}maxAttempts`, issues)
  if (given.key !== undefined) checkName(given.key, `${prefix}key`, issues)
  if (given.group !== undefined) checkName(given.group, `${prefix}group`, issues)
  const onDuplicate = acceptDuplicates(given, prefix, issues)
  const after = acceptAfter(given, prefix, issues)
  const tags = acceptTags(given.tags, `${prefix}tags`, issues)
  return {
    id: newId(),
    data: acceptPayload(declaration, data, `${prefix}data`, issues),
    version: versionOf(declaration) ?? UNVERSIONED,
    precedence: Number.isSafeInteger(priority) ? 0 - priority : 0,
    maxAttempts,
    settings: settingsOf(given, tags, after, prefix, issues),
    key: given.key ?? null,
    onDuplicate,
    windowMs: given.windowMs ?? null,
    group: given.group ?? null,
    after,
    onFailure: given.onFailure ?? 'fail',
    when: runAt === undefined ? { inMs: onDuplicate === 'debounce' ? (given.windowMs ?? 0) : delayMs } : { at: runAt },
    due: due || (runAt === undefined && delayMs === 0 && onDuplicate !== 'debounce'),
  }
}

function checkTimes({ runAt, delayMs, onDuplicate }: EnqueueOptions, prefix: string, issues: Issue[]): void {
  const refuse = (option: string, reason: string) => issues.push({ path: `${prefix}${option}`, reason })
  if (onDuplicate === 'debounce') {
    if (runAt !== undefined) refuse('runAt', DEBOUNCED)
    if (delayMs !== undefined) refuse('delayMs', DEBOUNCED)
    return
  }
  if (runAt !== undefined) acceptTime(runAt, `${prefix}runAt`, issues)
  if (delayMs === undefined) return
  if (runAt !== undefined) refuse('delayMs', 'cannot be given beside runAt')
  checkMs(delayMs, 0, `${prefix}delayMs`, issues)
}

function acceptDuplicates(
  { key, onDuplicate = 'ignore', windowMs }: EnqueueOptions,
  prefix: string,
  issues: Issue[],
): NewJob['onDuplicate'] {
  if (!['ignore', 'replace', 'debounce'].includes(onDuplicate)) {
    const reason = `must be ignore, replace or debounce, got ${describe(onDuplicate)}`
    issues.push({ path: `${prefix}onDuplicate`, reason })
  }
  if (key === undefined && (onDuplicate !== 'ignore' || windowMs !== undefined))
    issues.push({ path: `${prefix}key`, reason: 'must be given with onDuplicate and windowMs' })
  if (windowMs !== undefined) checkMs(windowMs, 1, `${prefix}windowMs`, issues)
  if (windowMs === undefined && onDuplicate === 'debounce')
    issues.push({ path: `${prefix}windowMs`, reason: 'must be given with onDuplicate: debounce' })
  return onDuplicate
}

function acceptAfter({ after, onFailure = 'fail' }: EnqueueOptions, prefix: string, issues: Issue[]): string[] {
  if (onFailure !== 'fail' && onFailure !== 'run')
    issues.push({ path: `${prefix}onFailure`, reason: `must be fail or run, got ${describe(onFailure)}` })
  if (after === undefined) return []
  const ids = Array.isArray(after) ? after.map((job) => (typeof job === 'string' ? job : job?.id)) : [undefined]
  const wrong = ids.findIndex((id) => typeof id !== 'string' || !isStorableText(id))
  if (wrong === -1) return [...new Set(ids as string[])]
  issues.push({ path: `${prefix}after`, reason: 'must be a list of jobs or their ids' })
  return []
}

function settingsOf(
  { timeoutMs, startWithinMs, backoff, onFailure }: EnqueueOptions,
  tags: readonly string[],
  after: readonly string[],
  prefix: string,
  issues: Issue[],
): JobSettings | null {
  if (timeoutMs !== undefined) checkWhole(timeoutMs, 1, `${prefix}timeoutMs`, issues)
  if (startWithinMs !== undefined) checkMs(startWithinMs, 1, `${prefix}startWithinMs`, issues)
  if (backoff !== undefined) checkBackoff(backoff, `${prefix}backoff`, issues)
  const isPlain = timeoutMs === undefined && startWithinMs === undefined && backoff === undefined
  if (isPlain && tags.length === 0 && after.length === 0) return null
  return {
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(startWithinMs !== undefined && { startWithinMs }),
    ...(backoff !== undefined && { backoff }),
    ...(tags.length > 0 && { tags }),
    ...(after.length > 0 && { after }),
    ...(after.length > 0 && onFailure === 'run' && { onFailure }),
  }
}
