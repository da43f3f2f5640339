import type { Result, Session } from '../backend/index.ts'
import { UnknownOutcomeError } from '../base/errors.ts'

/** How many writes share a transaction at most. */
const MOST = 200

/** A write to be made in a transaction that it may share with others. */
type Write = (tx: Session) => Promise<Result>

interface Waiting {
  readonly session: Session
  readonly write: Write
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Gathers the writes of one tick that need a transaction only to be recorded, so that they share one, and its commit. When one of
 * them fails, nothing has happened, and each is made again in a transaction of its own: so each has its own outcome.
 */
export class WriteGroups {
  readonly #waiting = new Map<string | null, Waiting[]>()

  /** Makes a write, on behalf of the session's actor, and resolves when it is committed. */
  write(session: Session, write: Write): Promise<Result> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(session.actor) ?? []
      if (waiting.length === 0) {
        this.#waiting.set(session.actor, waiting)
        queueMicrotask(() => this.#flush(session.actor))
      }
      waiting.push({ session, write, resolve, reject })
    })
  }

  #flush(actor: string | null): void {
    const waiting = this.#waiting.get(actor) ?? []
    this.#waiting.delete(actor)
    for (let at = 0; at < waiting.length; at += MOST) void makeTogether(waiting.slice(at, at + MOST))
  }
}

async function makeTogether(writes: readonly Waiting[]): Promise<void> {
  const [first] = writes
  if (first === undefined) return
  if (writes.length === 1) return alone(first)
  try {
    const results = await first.session.transaction(
      async (tx) => {
        const outcomes = await Promise.allSettled(writes.map(({ write }) => write(tx)))
        return outcomes.map((outcome) => {
          if (outcome.status === 'rejected') throw outcome.reason
          return outcome.value
        })
      },
      { isolation: 'read committed', retries: 0 },
    )
    for (const [index, { resolve }] of writes.entries()) resolve(results[index] as Result)
  } catch (error) {
    if (error instanceof UnknownOutcomeError) for (const { reject } of writes) reject(error)
    else for (const write of writes) await alone(write)
  }
}

async function alone({ session, write, resolve, reject }: Waiting): Promise<void> {
  try {
    resolve(await session.transaction(write, { isolation: 'read committed' }))
  } catch (error) {
    reject(error)
  }
}
