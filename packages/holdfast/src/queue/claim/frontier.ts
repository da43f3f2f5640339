import type { Job } from '../job/job.ts'
import { byUrgency, type Place } from './take.ts'

/** What was taken, and why no more could be looked for. */
export interface Taken {
  readonly jobs: readonly Job[]
  readonly failure?: unknown
}

/** For how long a worker goes on from where it was; then it looks from the beginning again. */
const SWEEP_MS = 100

/**
 * How far a worker has come that finds as many jobs as it wants. It goes on from there, so that Postgres need not step over all that was taken
 * before while somebody's snapshot keeps that from being cleared away. What comes in before that place is found at the next look from the
 * beginning.
 */
export class Frontier {
  #place: Place | undefined
  #sweptAt = Number.NEGATIVE_INFINITY

  /** Takes up to `count` jobs with `take`, which is told how many are still wanted and from where on. */
  async take(count: number, take: (count: number, from?: Place) => Promise<Job[]>): Promise<Taken> {
    const goesOn = this.#place !== undefined && performance.now() - this.#sweptAt < SWEEP_MS
    const next = goesOn ? await take(count, this.#place) : []
    if (next.length === count) return this.#goOnFrom(next, count)
    this.#sweptAt = performance.now()
    try {
      const others = await take(count - next.length)
      return this.#goOnFrom([...next, ...others].sort(byUrgency), count)
    } catch (failure) {
      if (next.length === 0) throw failure
      return { ...this.#goOnFrom(next, count), failure }
    }
  }

  #goOnFrom(jobs: readonly Job[], count: number): Taken {
    this.#place = jobs.length < count ? undefined : jobs.at(-1)
    return { jobs }
  }
}
