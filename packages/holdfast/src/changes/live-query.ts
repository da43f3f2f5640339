import { isDeepStrictEqual } from 'node:util'
import type { Session } from '../backend/index.ts'
import { type Issue, ValidationError } from '../base/errors.ts'
import { LoopBell, type LoopHost } from '../base/loop-bell.ts'
import { checkKnown, checkSignal, checkWhole, type Model } from '../schema/index.ts'

/** How a query is watched. */
export interface LiveQueryOptions {
  /** Ends it, without an error. */
  readonly signal?: AbortSignal
  /** How often to look at what other processes may have written, in milliseconds; 5,000 unless given. */
  readonly pollMs?: number
}

const POLL_MS = 5_000

/** What a live query runs on. */
export interface LiveQuerySource<Result> {
  readonly session: Session
  readonly model: Model
  /** What is told when another process has changed the model; undefined where none tells. */
  readonly topic: string | undefined
  readonly host: LoopHost
  /** The models that the query reads. */
  readonly reads: ReadonlySet<string>
  run(): Promise<Result>
}

/**
 * The result of a query, now and whenever it is another one. While the loop is busy, results that come and go in between are passed over:
 * it is always given the newest.
 */
export async function* liveQuery<Result>(
  { session, model, topic, host, reads, run }: LiveQuerySource<Result>,
  options: LiveQueryOptions,
): AsyncGenerator<Result, void, undefined> {
  assertOptions(model, options)
  const { signal, pollMs = POLL_MS } = options
  const bell = new LoopBell()
  const ended = bell.enter(host, signal)
  const leave = session.onCommitted((models) => {
    if (!reads.isDisjointFrom(models)) bell.ring()
  })
  let unsubscribe: (() => Promise<void>) | undefined
  try {
    if (topic !== undefined) unsubscribe = await session.wake(topic, bell.ring)
    let last: { readonly result: Result } | undefined
    while (!bell.stopped) {
      bell.reset()
      const result = await run()
      if (last === undefined || !isDeepStrictEqual(result, last.result)) {
        // The loop may change what it is given.
        last = { result: structuredClone(result) }
        yield result
      }
      if (!bell.stopped) await bell.heard(session.traits.sharedBetweenProcesses ? pollMs : null)
    }
  } catch (error) {
    if (!bell.stopped) throw error
  } finally {
    ended()
    leave()
    await unsubscribe?.()
  }
}

/** The models that a query reads: its own, and those of what it includes. */
export function modelsRead(model: Model, models: ReadonlyMap<string, Model>, include: unknown): Set<string> {
  const names = new Set([model.name])
  if (typeof include !== 'object' || include === null) return names
  for (const [name, wanted] of Object.entries(include)) {
    const related = models.get(model.relations.get(name)?.model ?? '')
    if (related === undefined) continue
    const inner = (wanted as { readonly include?: unknown } | null)?.include
    for (const read of modelsRead(related, models, inner)) names.add(read)
  }
  return names
}

/** @throws ValidationError */
function assertOptions({ name }: Model, options: LiveQueryOptions): void {
  const issues: Issue[] = []
  checkKnown(options, ['signal', 'pollMs'], '', issues)
  const { signal, pollMs } = options ?? {}
  checkSignal(signal, 'signal', issues)
  if (pollMs !== undefined) checkWhole(pollMs, 1, 'pollMs', issues)
  if (issues.length > 0) throw new ValidationError(`Watching a query of ${name} was refused`, issues)
}
