import type { Connection, Plan, Result, Row, SchemaEditor } from '../../backend/index.ts'
import type { Clock } from '../../base/clock.ts'
import { ConfigurationError } from '../../base/errors.ts'
import type { MemoryPlan } from './plan.ts'
import { applyChanges } from './schema-editor.ts'
import { streamRows } from './stream.ts'
import type { TransactionView } from './view.ts'

/** What `work` is given: statements see and change the transaction's own view. */
export class MemoryTransaction implements Connection {
  readonly schema: Pick<SchemaEditor, 'apply'>
  readonly #view: TransactionView
  readonly #clock: Clock
  #ended = false
  /** Why it ended before its time. */
  #reason: unknown

  constructor(view: TransactionView, clock: Clock) {
    this.#view = view
    this.#clock = clock
    this.schema = {
      apply: async (changes) => {
        this.#assertRunning()
        applyChanges(view, changes, clock.now())
      },
    }
  }

  /** Runs `work` to its end, or until the signal aborts: then it rejects with its reason, and `work` can do nothing more. */
  async run<T>(work: (connection: Connection) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      const running = work(this)
      return await (signal === undefined ? running : Promise.race([running, aborted(signal)]))
    } finally {
      this.#ended = true
      if (signal?.aborted === true) this.#reason = signal.reason
    }
  }

  execute(plan: Plan, parameters: readonly unknown[]): Promise<Result> {
    try {
      this.#assertRunning()
      const own = plan as MemoryPlan
      return Promise.resolve(own.compiledFor(this.#view.catalog).run(this.#view, parameters, this.#clock.now()))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async *stream(plan: Plan, parameters: readonly unknown[]): AsyncGenerator<readonly Row[], void, undefined> {
    this.#assertRunning()
    yield* streamRows(plan as MemoryPlan, this.#view, parameters, this.#clock.now())
  }

  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    this.#assertRunning()
    const restore = this.#view.savepoint()
    try {
      return await work()
    } catch (error) {
      restore()
      throw error
    }
  }

  #assertRunning(): void {
    if (this.#ended) throw this.#reason ?? hasEnded()
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function hasEnded(): ConfigurationError {
  return new ConfigurationError('The transaction has ended; nothing can be done in it any more.', {
    code: 'TRANSACTION_MISUSE',
    hint: 'Await every call inside the transaction.',
  })
}
