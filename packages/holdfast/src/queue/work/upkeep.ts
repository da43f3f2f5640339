import { prune } from '../admin/prune.ts'
import { makeReady } from '../claim/make-ready.ts'
import type { QueueScope } from '../job/scope.ts'
import { Alarm } from './alarm.ts'
import type { Executor } from './executor.ts'
import type { HeldJobs } from './held-jobs.ts'

/** Between two times of pruning. */
const PRUNE_MS = 60_000
/** Jobs that have only just finished are not pruned: those that wait for them or watch them look every second or so. */
const SPARE_MS = 10_000

/** What a worker does for its queue beside taking jobs: they become ready, those that wait here for too long go back, old ones are forgotten. */
export class Upkeep {
  readonly #scope: QueueScope
  readonly #pollMs: number
  readonly #held: HeldJobs
  readonly #executor: Executor
  readonly #wake: () => void
  readonly #alarm: Alarm
  #paused = false
  /** When it last looked for what is due; before all times when it is to look before anything is taken. */
  #lookedAt = Number.NEGATIVE_INFINITY
  /** Whether more was due than it looked after. */
  #isMore = false
  /** The `#lookedAt` that the alarm was set for. */
  #alarmSetFor = Number.NEGATIVE_INFINITY
  #prunedAt = performance.now() - Math.random() * PRUNE_MS

  /** @param wake makes the worker go on, should it sleep. */
  constructor(scope: QueueScope, pollMs: number, held: HeldJobs, executor: Executor, wake: () => void) {
    this.#scope = scope
    this.#pollMs = pollMs
    this.#held = held
    this.#executor = executor
    this.#wake = wake
    this.#alarm = new Alarm(scope, pollMs, () => this.lookAgain())
  }

  /** Whether jobs may be taken: the queue is not paused, and nothing may have changed that since it looked. */
  get mayTake(): boolean {
    return Number.isFinite(this.#lookedAt) && !this.#paused
  }

  /** Does what it is time for; gives whether there may be more to take than before. */
  async look(): Promise<boolean> {
    const now = performance.now()
    const isTime = this.#isMore || now - this.#lookedAt >= this.#pollMs / 2
    if (isTime) {
      this.#lookedAt = now
      await this.#makeReady().catch((error: unknown) => {
        // It does not know whether the queue is paused.
        this.#lookedAt = Number.NEGATIVE_INFINITY
        throw error
      })
      if (this.#paused || this.#executor.keepsWaiting) await this.#held.handBack()
    }
    if (now - this.#prunedAt >= PRUNE_MS) {
      this.#prunedAt = now
      await prune(this.#scope, SPARE_MS)
    }
    return isTime
  }

  async #makeReady(): Promise<void> {
    await this.#held.beatIfLate()
    const { paused, isMore } = await makeReady(this.#scope)
    this.#paused = paused
    this.#isMore = isMore
  }

  /** Looks for what may have become ready before anything else is taken. */
  lookAgain(): void {
    this.#lookedAt = Number.NEGATIVE_INFINITY
    this.#wake()
  }

  /** Looks again soon: a job was put off, perhaps not for long. */
  lookSoon(): void {
    this.#alarm.ringIn()
  }

  /** Sets an alarm for the next job whose time will come: once for each time that it looked for what is due. */
  async setAlarm(): Promise<void> {
    if (this.#alarmSetFor === this.#lookedAt) return
    const lookedAt = this.#lookedAt
    this.#alarmSetFor = lookedAt
    // Where somebody says that it should look again, it does, and sets the alarm after that.
    if (Number.isFinite(lookedAt)) await this.#alarm.set(performance.now() - lookedAt)
  }

  /** Sets the alarm anew: there are more jobs whose time will come. */
  setAlarmAnew(): void {
    this.#alarmSetFor = Number.NEGATIVE_INFINITY
    this.#wake()
  }

  stop(): void {
    this.#alarm.stop()
  }
}
