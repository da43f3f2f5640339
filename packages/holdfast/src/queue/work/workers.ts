import { type StopOptions, stopTimeoutMs } from './stop-options.ts'
import type { Worker } from './worker.ts'

/** Signals by which processes are asked to end. */
const SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT']

/** The workers of several queues. Made by `storage.work`. */
export class Workers<ByQueue extends object = Record<string, Worker>> {
  /** The worker of each queue. */
  readonly byQueue: Readonly<ByQueue>
  #stopped: Promise<void> | undefined
  #forgetSignals: () => void = () => undefined

  constructor(byQueue: Readonly<ByQueue>) {
    this.byQueue = byQueue
  }

  /** Stops them all: see `Worker.stop`. */
  async stop(options: StopOptions = {}): Promise<void> {
    stopTimeoutMs(options)
    this.#stopped ??= this.#stop(options)
    return this.#stopped
  }

  async #stop(options: StopOptions): Promise<void> {
    await Promise.all(
      Object.values<Worker>(this.byQueue as Record<string, Worker>).map((worker) => worker.stop(options)),
    )
    this.#forgetSignals()
  }

  /**
   * Stops them when the process is asked to end (SIGTERM, SIGINT), runs `then` when they have stopped, and lets the signal end the process.
   * A second signal ends it at once.
   *
   * @example
   * ```ts
   * storage.work({ mail: send }).stopOnSignals({ timeoutMs: 10_000 }, () => storage.close())
   * ```
   */
  stopOnSignals(options: StopOptions = {}, then: () => unknown = () => undefined): this {
    stopTimeoutMs(options)
    const heed = (signal: NodeJS.Signals) => {
      for (const other of SIGNALS) process.off(other, heed)
      const end = () => process.kill(process.pid, signal)
      this.stop(options)
        .then(then)
        .then(end, (error: unknown) => {
          process.emitWarning(error instanceof Error ? error : String(error))
          end()
        })
    }
    for (const signal of SIGNALS) process.on(signal, heed)
    this.#forgetSignals = () => {
      for (const signal of SIGNALS) process.off(signal, heed)
    }
    return this
  }
}
