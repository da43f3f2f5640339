import type { Session } from '../../backend/index.ts'
import { type Issue, ValidationError } from '../../base/errors.ts'
import { checkKnown, checkWhole, describe } from '../../schema/index.ts'
import { partsOf } from './find.ts'
import { type Job, jobOf } from './job.ts'
import { checkFilter, FILTER_OPTIONS, type JobFilter, whereOf } from './job-filter.ts'
import { checkState, JOB_STATES, type JobStateFilter } from './states.ts'

/** Which jobs a page holds. */
export interface JobPageOptions<Data = unknown> extends JobFilter<Data> {
  /** All unless given. */
  readonly state?: JobStateFilter
  /** How many; 100 unless given. */
  readonly first?: number
  /** The `next` of the page before; left out or null for the first page. */
  readonly after?: string | null | undefined
}

/** A page of jobs and where the next one starts; null after the last. */
export interface JobPage<Data = unknown, Result = unknown> {
  readonly items: Job<Data, Result>[]
  readonly next: string | null
}

/**
 * A page of the jobs of a queue, in the order of `listJobs`.
 *
 * @throws ValidationError for an unknown option.
 */
export async function pageOfJobs(session: Session, queue: string, options: JobPageOptions): Promise<JobPage> {
  const { state, first = 100, after, ...filter } = accept(queue, options)
  const items: Job[] = []
  const { part, cursor } = positionOf(queue, after)
  for (const { at, rows, where, orderBy } of partsOf(queue, state)) {
    if (at < part) continue
    if (items.length === first) return { items, next: `${at}.` }
    const query = {
      where: { ...where, ...whereOf(filter) },
      orderBy,
      first: first - items.length,
      after: at === part ? cursor : null,
    }
    const page = await rows(session).page(query as never)
    items.push(...page.items.map((row) => ({ ...jobOf(row), token: null })))
    if (page.next !== null) return { items, next: `${at}.${page.next}` }
  }
  return { items, next: null }
}

function accept(queue: string, options: JobPageOptions): JobPageOptions {
  const issues: Issue[] = []
  checkKnown(options, ['state', 'first', 'after', ...FILTER_OPTIONS], '', issues)
  const { state, first } = options ?? {}
  checkState(state, JOB_STATES, issues)
  checkFilter(options, issues)
  if (first !== undefined) checkWhole(first, 1, 'first', issues)
  if (issues.length > 0) throw new ValidationError(`A page of the jobs of ${queue} was refused`, issues)
  return options
}

/** Where a page starts: in which part, and after what of it. */
function positionOf(queue: string, after: unknown): { readonly part: number; readonly cursor: string | null } {
  if (after === undefined || after === null) return { part: 0, cursor: null }
  const [, part, cursor] = (typeof after === 'string' && /^([0-4])\.(.*)$/.exec(after)) || []
  if (part === undefined) {
    throw new ValidationError(`A page of the jobs of ${queue} was refused`, [
      { path: 'after', reason: `must be the next of a page, got ${describe(after)}` },
    ])
  }
  return { part: Number(part), cursor: cursor || null }
}
