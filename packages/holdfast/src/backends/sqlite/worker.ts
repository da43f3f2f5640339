import { Worker } from 'node:worker_threads'
import type { Answer, Ask, WorkerFailure, WorkerStart } from './worker-messages.ts'

/** Where the pieces of a read go. */
export interface PieceListener {
  rows(rows: unknown[], done: boolean, milliseconds: number): void
  failed(error: unknown): void
}

/** Why a worker cannot be used at all: a bundler left its file out, for example. */
export class WorkerUnavailable extends Error {}

/** An error that happened in a worker, with the code that SQLite gave it. */
export class RemoteError extends Error {
  readonly sqliteCode: string | undefined

  constructor({ message, code }: WorkerFailure) {
    super(message)
    this.sqliteCode = code
  }
}

/** A thread that reads. It keeps the process alive only while it has something to do. */
export class ReadWorker {
  readonly #worker: Worker
  readonly #listeners = new Map<number, PieceListener>()
  readonly #exited: Promise<void>
  #ready = false
  #failure: unknown
  #lastId = 0

  constructor(start: WorkerStart) {
    // The sources are run as they are by Node, the package as it was compiled.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    this.#worker = new Worker(new URL(`./worker-thread.${extension}`, import.meta.url), {
      workerData: start,
      name: 'holdfast sqlite reader',
    })
    this.#worker.unref()
    this.#worker.on('message', (answer: Answer) => this.#hear(answer))
    this.#worker.on('error', (error) =>
      this.#fail(this.#ready ? error : new WorkerUnavailable(error.message, { cause: error })),
    )
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#fail(new Error('The reading thread has ended'))
        resolve()
      })
    })
  }

  /** How many reads are under way. */
  get load(): number {
    return this.#listeners.size
  }

  /** Whether it has ended, by itself or by `close`. */
  get ended(): boolean {
    return this.#failure !== undefined
  }

  /** Begins a read and gives its id. */
  start(text: string, values: readonly unknown[], listener: PieceListener): number {
    if (this.#failure !== undefined) throw this.#failure
    const id = ++this.#lastId
    this.#listeners.set(id, listener)
    this.#worker.ref()
    this.#ask({ kind: 'start', id, text, values })
    return id
  }

  /** Asks for the next piece of a read. */
  more(id: number): void {
    if (this.#listeners.has(id)) this.#ask({ kind: 'more', id })
  }

  /** Ends a read before its end. */
  stop(id: number): void {
    if (!this.#listeners.has(id)) return
    this.#forget(id)
    this.#ask({ kind: 'stop', id })
  }

  /** Closes the worker's connections and ends it. Nothing may be under way. */
  async close(): Promise<void> {
    this.#worker.ref()
    if (this.#failure === undefined) this.#ask({ kind: 'close' })
    await this.#exited
  }

  #ask(ask: Ask): void {
    this.#worker.postMessage(ask)
  }

  #hear(answer: Answer): void {
    if (answer.kind === 'ready') {
      this.#ready = true
      return
    }
    const listener = this.#listeners.get(answer.id)
    if (listener === undefined) return
    if (answer.kind === 'error') {
      this.#forget(answer.id)
      listener.failed(new RemoteError(answer.error))
      return
    }
    if (answer.done) this.#forget(answer.id)
    listener.rows(answer.rows, answer.done, answer.milliseconds)
  }

  #forget(id: number): void {
    this.#listeners.delete(id)
    if (this.#listeners.size === 0) this.#worker.unref()
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    for (const [id, listener] of [...this.#listeners]) {
      this.#forget(id)
      listener.failed(this.#failure)
    }
  }
}
