import { Bell } from './bell.ts'

/** Knows which loops run, to end them before it closes. */
export interface LoopHost {
  /** Notes a loop; gives the function that says it has ended. */
  started(loop: { stop(): Promise<void> }): () => void
}

/** The bell of a loop, which can be told to end: by a signal, or by the host that closes. */
export class LoopBell extends Bell {
  #stopped = false

  /** Whether the loop is to end. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Says that the loop is to end, and wakes it. */
  readonly stop = async (): Promise<void> => {
    this.#stopped = true
    this.ring()
  }

  /** Lets the host and the signal stop the loop; gives the function to call when it has ended. */
  enter(host: LoopHost, signal: AbortSignal | undefined): () => void {
    if (signal?.aborted === true) this.#stopped = true
    signal?.addEventListener('abort', this.stop, { once: true })
    const ended = host.started(this)
    return () => {
      ended()
      signal?.removeEventListener('abort', this.stop)
    }
  }
}
