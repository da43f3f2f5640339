import type { Job } from '../../packages/holdfast/src/index.ts'
import { type ModelJob, momentOf, type State } from './jobs.ts'
import { tenthOf } from './queues.ts'

/** What is compared of a job. */
export type Shown = { readonly n: number } & Readonly<Record<string, unknown>>

/** What is compared of a job of the model. Of one that is forgotten no more is known than that it has ended. */
export function shownOfModel(job: ModelJob): Shown {
  const { n, queue, data, after } = job
  if (job.gone) return { n, state: 'completed' }
  const finishedAt = job.finishedAt === null ? null : tenthOf(job.finishedAt)
  const times = { runAt: tenthOf(job.runAt), finishedAt }
  return { n, queue, ...alike(job), ...times, data, after, errors: [...job.errors] }
}

/** What both say in the same words. */
function alike(job: ModelJob | Job): Readonly<Record<string, unknown>> {
  const { version, state, waitsFor, attempt, maxAttempts, priority, key, group, tags, result } = job
  return { version, state, waitsFor, attempt, maxAttempts, priority, key, group, tags, result }
}

/** Which jobs of a storage are which of the model. */
export class KnownJobs {
  readonly #beganAt: number
  /** By their numbers. */
  readonly #ids: string[] = []

  constructor(beganAt: number) {
    this.#beganAt = beganAt
  }

  /** The same, to be told more of on its own. */
  copy(): KnownJobs {
    const copy = new KnownJobs(this.#beganAt)
    copy.#ids.push(...this.#ids)
    return copy
  }

  /** The numbers of jobs that are known. */
  numbersOf(jobs: readonly Job[]): ReadonlySet<number> {
    return new Set(jobs.map(({ id }) => this.#ids.indexOf(id)))
  }

  idOf(n: number): string {
    return this.#ids[n] ?? 'unknown'
  }

  meet(n: number, id: string | undefined): void {
    if (id !== undefined) this.#ids[n] ??= id
  }

  /** Letters are added by nobody who is given their ids. */
  meetLetters(jobs: readonly Job[], known: readonly ModelJob[]): void {
    const unknown = jobs.filter(({ id }) => !this.#ids.includes(id))
    for (const { id, data } of unknown.sort((left, right) => (left.id < right.id ? -1 : 1))) {
      const of = this.#ids.indexOf((data as { id?: string }).id ?? '')
      const n = known.find((job) => this.#ids[job.n] === undefined && (job.data as { of?: number }).of === of)?.n
      if (n !== undefined) this.#ids[n] = id
    }
  }

  /** Jobs that were taken or finished in the same step may be listed in any order: some at once, others one after the other. */
  inOrder(jobs: readonly Job[], { jobs: known }: State): Job[] {
    const placed = jobs.map((job) => ({ job, n: this.#ids.indexOf(job.id) }))
    const sorted: typeof placed = []
    for (const one of placed) {
      const own = known[one.n]
      const goesBefore = ({ n }: typeof one) => {
        const other = known[n]
        return own !== undefined && other !== undefined && momentOf(other) === momentOf(own) && n > one.n
      }
      let at = sorted.length
      while (at > 0 && goesBefore(sorted[at - 1] as typeof one)) at--
      sorted.splice(at, 0, one)
    }
    return sorted.map(({ job }) => job)
  }

  /** What is compared of a job of the storage. */
  shown(job: Job, { jobs: known }: State): Shown {
    const n = this.#ids.indexOf(job.id)
    if (known[n]?.gone === true) return { n, state: job.state }
    const times = { runAt: this.#tenth(job.runAt), finishedAt: this.#tenth(job.finishedAt) }
    const queue = shortName(job.queue)
    const after = job.after.map((before) => this.#ids.indexOf(before))
    const data = this.#shownData(job.data)
    return { n, queue, ...alike(job), ...times, data, after, errors: job.errors.map(shownError) }
  }

  #tenth(at: Date | null): number | null {
    return at === null ? null : tenthOf(at.getTime() - this.#beganAt)
  }

  /** A payload; in a letter it says what became of another job. */
  #shownData(data: unknown): unknown {
    const letter = data as { id?: string; queue: string; data: unknown; errors: Job['errors'] }
    if (letter.id === undefined) return data
    const of = this.#ids.indexOf(letter.id)
    return {
      of,
      queue: shortName(letter.queue),
      data: this.#shownData(letter.data),
      errors: letter.errors.map(shownError),
    }
  }
}

function shortName(queue: string): string {
  return queue.replace(/\d+$/, '')
}

/** The errors that the queues themselves give have short names in the model. */
function shownError({ message, attempt }: Job['errors'][0]) {
  if (message.startsWith('It did not begin within')) return { message: 'late', attempt }
  if (message.startsWith('A job that it comes after')) return { message: 'before', attempt }
  if (message.includes(' cannot be handled')) return { message: 'version', attempt }
  return { message: message === 'The worker that ran it was lost.' ? 'lost' : message, attempt }
}
