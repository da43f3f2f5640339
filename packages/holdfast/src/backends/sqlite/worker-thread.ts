/**
 * What runs in a worker thread: reads on connections of its own, given back in pieces of which the main thread asks for one
 * after the other. Several reads may be under way; each goes on when it is asked to.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { Database, Driver } from './driver.ts'
import { loadDriver } from './load-driver.ts'
import type { Answer, Ask, WorkerStart } from './worker-messages.ts'

/** How many rows travel at once: more are no faster, and with 500 a stream holds 20 MB more. */
const PIECE_ROWS = 200

/** For pages of the file. The operating system keeps them too, so that a larger one only pays where few pages are read over and over. */
const CACHE_KB = 4_000

/** Here waiting blocks nobody. */
const BUSY_TIMEOUT_MS = 2_000

interface RunningRead {
  readonly database: Database
  readonly rows: Iterator<unknown>
}

class ReadingThread {
  readonly #port: MessagePort
  readonly #driver: Driver
  readonly #path: string
  readonly #idle: Database[] = []
  readonly #reads = new Map<number, RunningRead>()

  constructor(port: MessagePort, driver: Driver, path: string) {
    this.#port = port
    this.#driver = driver
    this.#path = path
  }

  handle(ask: Ask): void {
    if (ask.kind === 'close') this.#close()
    else this.#read(ask)
  }

  #read(ask: Exclude<Ask, { readonly kind: 'close' }>): void {
    try {
      if (ask.kind === 'start') this.#reads.set(ask.id, this.#start(ask.text, ask.values))
      if (ask.kind === 'stop') this.#end(ask.id)
      else this.#sendRows(ask.id)
    } catch (error) {
      const failure = {
        message: error instanceof Error ? error.message : String(error),
        code: this.#driver.codeOf(error),
      }
      this.#answer({ kind: 'error', id: ask.id, error: failure })
      this.#end(ask.id)
    }
  }

  #start(text: string, values: readonly unknown[]): RunningRead {
    const database = this.#idle.pop() ?? this.#open()
    return { database, rows: database.prepareRead(text).iterate(...values) }
  }

  #open(): Database {
    const database = this.#driver.open(this.#path, { readOnly: true })
    database.exec(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}; pragma cache_size = -${CACHE_KB}`)
    return database
  }

  #sendRows(id: number): void {
    const read = this.#reads.get(id)
    if (read === undefined) return
    const started = performance.now()
    const rows: unknown[] = []
    let done = false
    while (!done && rows.length < PIECE_ROWS) {
      const next = read.rows.next()
      done = next.done === true
      if (!done) rows.push(next.value)
    }
    if (done) this.#end(id)
    this.#answer({ kind: 'rows', id, rows, done, milliseconds: performance.now() - started })
  }

  #end(id: number): void {
    const read = this.#reads.get(id)
    if (read === undefined) return
    this.#reads.delete(id)
    read.rows.return?.()
    this.#idle.push(read.database)
  }

  #answer(answer: Answer): void {
    this.#port.postMessage(answer)
  }

  #close(): void {
    for (const id of [...this.#reads.keys()]) this.#end(id)
    for (const database of this.#idle) database.close()
    this.#port.close()
  }
}

if (parentPort !== null) {
  const port = parentPort
  const { driver, path } = workerData as WorkerStart
  const thread = new ReadingThread(port, await loadDriver(driver), path)
  port.on('message', (ask: Ask) => thread.handle(ask))
  port.postMessage({ kind: 'ready' } satisfies Answer)
}
