import type { Session, Unsubscribe } from '../../backend/index.ts'
import { PRESENT_MS } from '../job/audience.ts'
import { changeTopicOf, watcherTopicOf } from '../job/topics.ts'

/** Between two calls: where jobs change all the time, whoever watches one of them need not look at it each time. */
const SHORTEST_MS = 50

/**
 * Says now and then that somebody watches jobs of a queue, and calls back when workers that hear it tell that some have changed. Gives the
 * function that ends it.
 */
export async function attend(session: Session, queue: string, onChange: () => void): Promise<Unsubscribe> {
  const unsubscribe = await session.wake(changeTopicOf(queue), paced(onChange))
  const bePresent = (): void => session.notify(watcherTopicOf(queue))
  bePresent()
  const presence = setInterval(bePresent, PRESENT_MS).unref()
  return () => {
    clearInterval(presence)
    return unsubscribe()
  }
}

/** Calls at once, and then not again for a while: what comes meanwhile is one call at the end of it. */
function paced(call: () => void): () => void {
  let calledAt = Number.NEGATIVE_INFINITY
  let isPending = false
  const callNow = (): void => {
    calledAt = performance.now()
    isPending = false
    call()
  }
  return () => {
    if (isPending) return
    const restMs = calledAt + SHORTEST_MS - performance.now()
    if (restMs <= 0) return callNow()
    isPending = true
    setTimeout(callNow, restMs).unref()
  }
}
