import { follow } from './ending.ts'
import { type Asked, isLive, type ModelJob, Refusal, releaseOf, type State } from './jobs.ts'
import { QUEUES } from './queues.ts'

/** Adds jobs, all or none; gives for each the job that is there for it now. */
export function enqueue(state: State, queue: string, asked: readonly Asked[]): ModelJob[] {
  const throttledBy = (job: Asked) =>
    isThrottled(job)
      ? state.windows.find((one) => one.queue === queue && one.key === job.key && one.until > state.now)
      : undefined
  const known = new Map(
    asked.flatMap((job) => {
      const window = throttledBy(job)
      return window === undefined ? [] : [[job, window.n] as const]
    }),
  )
  const fresh = onePerKey(asked.filter((job) => !known.has(job)))
  refuse(state, queue, fresh)
  for (const { after = [] } of fresh) for (const n of after) (state.jobs[n] as ModelJob).awaited = true
  const made = new Map(fresh.map((job) => [job, place(state, queue, job)]))
  for (const [group] of Map.groupBy(
    [...made.values()].flatMap(({ groups }) => groups),
    (one) => one,
  ))
    follow(state, [{ kind: 'group', queue, group }])
  const given = asked.map((job) => {
    const window = known.get(job)
    if (window !== undefined) return state.jobs[window] as ModelJob
    const own = made.get(job) ?? made.get(fresh.find(({ key }) => key === job.key) as Asked)
    return own?.job as ModelJob
  })
  for (const [at, job] of asked.entries())
    if (isThrottled(job) && !known.has(job)) openWindow(state, queue, job, given[at] as ModelJob)
  return given
}

function isThrottled({ windowMs, onDuplicate = 'ignore' }: Asked): boolean {
  return windowMs !== undefined && onDuplicate === 'ignore'
}

function openWindow(state: State, queue: string, { key, windowMs }: Asked, { n }: ModelJob): void {
  if (state.windows.some((one) => one.queue === queue && one.key === key && one.until > state.now)) return
  state.windows = state.windows.filter((one) => one.queue !== queue || one.key !== key)
  state.windows.push({ queue, key: key as string, n, until: state.now + (windowMs as number) })
}

/** Of jobs of one call with the same key the last that is to take the place of others counts; where none is, the first. */
function onePerKey(asked: readonly Asked[]): Asked[] {
  return asked.filter((job) => {
    if (job.key === undefined) return true
    const same = asked.filter(({ key }) => key === job.key)
    const replacing = same.filter(({ onDuplicate = 'ignore' }) => onDuplicate !== 'ignore')
    return job === (replacing.at(-1) ?? same[0])
  })
}

function holderOf({ jobs }: State, queue: string, key: string | undefined): ModelJob | undefined {
  return jobs.find((job) => job.queue === queue && key !== undefined && job.key === key && isLive(job))
}

/** Refuses jobs that come after what is not there, has failed, or waits for them. */
function refuse(state: State, queue: string, fresh: readonly Asked[]): void {
  const before = new Map(state.jobs.map(({ n, behind }) => [n, behind as readonly number[]]))
  const replaced: number[] = []
  for (const { after = [], onDuplicate = 'ignore', key } of fresh) {
    const holder = onDuplicate === 'ignore' ? undefined : holderOf(state, queue, key)
    if (holder === undefined || holder.state === 'active') continue
    replaced.push(holder.n)
    before.set(holder.n, after)
  }
  if (replaced.some((n) => comesAfter(before, n, n))) throw new Refusal('VALIDATION')
  for (const { after = [], onFailure = 'fail' } of fresh) {
    for (const n of after) {
      const job = state.jobs[n]
      if (job === undefined || job.gone) throw new Refusal('NOT_FOUND')
      if (!isLive(job) && job.state !== 'completed' && onFailure === 'fail') throw new Refusal('VALIDATION')
    }
  }
}

/** Whether a job comes after another, with any number of jobs between them. */
function comesAfter(before: ReadonlyMap<number, readonly number[]>, n: number, first: number): boolean {
  const all = new Set(before.get(n))
  for (const one of all) for (const other of before.get(one) ?? []) all.add(other)
  return all.has(first)
}

/** Adds a job, puts it in the place of the one that has its key, or leaves that one as it is. */
function place(
  state: State,
  queue: string,
  asked: Asked,
): { readonly job: ModelJob; readonly groups: readonly string[] } {
  const holder = holderOf(state, queue, asked.key)
  const groups = asked.group === undefined ? [] : [asked.group]
  if (holder === undefined) return { job: addJob(state, queue, asked), groups }
  if ((asked.onDuplicate ?? 'ignore') === 'ignore') return { job: holder, groups }
  if (holder.state === 'active') {
    holder.key = null
    return { job: addJob(state, queue, asked), groups }
  }
  const left = holder.group === null ? [] : [holder.group]
  Object.assign(holder, fieldsOf(state, queue, asked))
  return { job: holder, groups: [...groups, ...left] }
}

/** Adds a job that nothing stands in the way of. */
export function addJob(state: State, queue: string, asked: Asked, { version } = releaseOf(state, queue)): ModelJob {
  const job: ModelJob = {
    ...fieldsOf(state, queue, asked),
    version,
    n: state.jobs.length,
    queue,
    result: null,
    holder: null,
    leaseUntil: 0,
    awaited: false,
    finishedAt: null,
    gone: false,
  }
  state.jobs.push(job)
  return job
}

function fieldsOf(state: State, queue: string, asked: Asked) {
  const { onDuplicate, windowMs = 0, delayMs, key = null, group = null, after = [], onFailure = 'fail' } = asked
  const laterMs = onDuplicate === 'debounce' ? windowMs : (delayMs ?? 0)
  const behind = [...new Set(after)].filter((n) => isLive(state.jobs[n] as ModelJob))
  const now = group === null ? 'worker' : 'jobs'
  return {
    data: asked.data,
    version: releaseOf(state, queue).version,
    state: 'waiting',
    waitsFor: behind.length > 0 ? 'jobs' : laterMs > 0 ? 'time' : now,
    attempt: 0,
    maxAttempts: asked.maxAttempts ?? QUEUES[queue]?.maxAttempts ?? 5,
    priority: asked.priority ?? 0,
    runAt: state.now + laterMs,
    dueAt: state.now + laterMs,
    key,
    group,
    turn: false,
    after: [...new Set(after)],
    behind,
    onFailure,
    tags: asked.tags ?? [],
    startWithinMs: asked.startWithinMs ?? QUEUES[queue]?.startWithinMs ?? null,
    errors: [] as ModelJob['errors'],
  } as const satisfies Partial<ModelJob>
}
