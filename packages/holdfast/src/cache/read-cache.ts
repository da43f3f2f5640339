import { LRUCache } from 'lru-cache'
import { copyRow, type Plan, type Result, type Session } from '../backend/index.ts'
import { CachingSession } from './caching-session.ts'
import { coarse } from './coarse-clock.ts'

/** How many rows are kept at most, those used last. */
const MAX_ROWS = 50_000
/** Larger results are not kept. */
const MAX_ROWS_OF_ONE = 10_000

/** What is known of a plan: a name for it, and the models that its results depend on. */
interface Subject {
  readonly name: string
  readonly models: ReadonlySet<string>
}

/** A result that was read, or is being read. */
interface Kept {
  /** The number of commits before it began: it is out of date when one of its models was written by a later one. */
  readonly after: number
  readonly startedMs: number
  readonly result: Promise<Result>
}

/**
 * What reads of a storage gave, until one of the models they read is written.
 *
 * Every commit of this process is told before the promise of who wrote resolves. A result counts from the moment its reading began, so one
 * that was under way during a commit is never given to anybody who asks after it.
 */
export class ReadCache {
  readonly #session: Session
  readonly #assertUsable: () => void
  readonly #clock: { now(): number }
  readonly #kept = new LRUCache<string, Kept>({ maxSize: MAX_ROWS, maxEntrySize: MAX_ROWS_OF_ONE })
  readonly #under = new Map<string, Kept>()
  readonly #subjects = new WeakMap<Plan, Subject | null>()
  readonly #written = new Map<string, number>()
  #commits = 0
  #plans = 0
  #listens = false

  /** @param assertUsable throws where the storage may not be used now. */
  constructor(session: Session, assertUsable: () => void) {
    this.#session = session
    this.#assertUsable = assertUsable
    this.#clock = coarse(session.clock)
  }

  /** A session whose reads may be answered with what was read up to `ttlMs` ago. */
  session(inner: Session, ttlMs: number): Session {
    return new CachingSession(inner, this, ttlMs)
  }

  /** The result of a plan, as a copy: kept, or given by `run`. */
  async read(plan: Plan, parameters: readonly unknown[], ttlMs: number, run: () => Promise<Result>): Promise<Result> {
    this.#assertUsable()
    const subject = this.#subjectOf(plan)
    if (subject === null) return run()
    const key = subject.name + parameters.map(textOf).join()
    const kept = this.#kept.get(key) ?? this.#under.get(key)
    const valid = kept !== undefined && this.#clock.now() - kept.startedMs < ttlMs && this.#holds(kept, subject)
    return copyOf(await (valid ? kept.result : this.#start(key, subject, run)))
  }

  #start(key: string, subject: Subject, run: () => Promise<Result>): Promise<Result> {
    if (!this.#listens) this.#listen()
    const kept: Kept = { after: this.#commits, startedMs: this.#clock.now(), result: run() }
    this.#under.set(key, kept)
    this.#kept.delete(key)
    const ended = (result?: Result): void => {
      if (this.#under.get(key) !== kept) return
      this.#under.delete(key)
      if (result !== undefined && this.#holds(kept, subject)) {
        this.#kept.set(key, kept, { size: 1 + result.rows.length })
      }
    }
    kept.result.then(ended, () => ended())
    return kept.result
  }

  /** Whether none of the models was written since the reading began. */
  #holds({ after }: Kept, { models }: Subject): boolean {
    for (const model of models) if ((this.#written.get(model) ?? 0) > after) return false
    return true
  }

  #listen(): void {
    this.#listens = true
    this.#session.onCommitted((models) => {
      this.#commits++
      for (const model of models) this.#written.set(model, this.#commits)
    })
  }

  #subjectOf(plan: Plan): Subject | null {
    const known = this.#subjects.get(plan)
    if (known !== undefined) return known
    const models = new Set<string>()
    const depends = collect(plan.statement, this.#session.models, models)
    const subject = depends ? { name: `${++this.#plans} `, models } : null
    this.#subjects.set(plan, subject)
    return subject
  }
}

/**
 * Collects every model that a statement names anywhere.
 *
 * @returns false where the result depends on more than can be seen: on what is within reach in a graph.
 */
function collect(part: unknown, models: Session['models'], into: Set<string>): boolean {
  if (typeof part === 'string') {
    if (models.has(part)) into.add(part)
    return true
  }
  if (typeof part !== 'object' || part === null) return true
  if ('reach' in part) return false
  return Object.values(part).every((inner) => collect(inner, models, into))
}

/** A parameter as text, which no other parameter has. */
function textOf(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    if (value instanceof Date) return `d${value.getTime()}`
    if (value instanceof Uint8Array) return `y${Buffer.from(value).toString('base64')}`
    if (Array.isArray(value)) return `[${value.map(textOf).join()}]`
    return `j${JSON.stringify(value)}`
  }
  return typeof value === 'string' ? JSON.stringify(value) : `${(typeof value)[0]}${String(value)}`
}

function copyOf({ rows, count }: Result): Result {
  return { rows: rows.map(copyRow), count }
}
